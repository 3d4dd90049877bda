"""The JSON Schemas of Arazzo that the OpenAPI Initiative publishes, from a Go module."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scripts.charts import promtool

MODULE = "github.com/pb33f/libopenapi-validator@v0.16.3"  # only files of it are read
SCHEMAS = {  # by version: the file, and the SHA-256 of the published schema (Apache-2.0)
    "1.0": (
        "arazzo-1.0-2025-10-15.json",
        "b8715bd824fffcb2accf5077977d37c9e7a15be60d785e7a3a51cf600fd46ad4",
    ),
    "1.1": (
        "arazzo-1.1-2026-04-15.json",
        "37be908409bdb2f7bffe61fa23685c7e84cbeebfafac475a1d01dbc50ff7ab9e",
    ),
}


def published_schema(version: str) -> dict[str, Any]:
    """Return the schema of `1.0` or `1.1`; skip the test if Go is missing or cannot download.

    In CI, both are errors.
    """
    name, digest = SCHEMAS[version]
    try:
        folder = _module_folder()
    except (OSError, subprocess.SubprocessError) as error:
        if promtool.is_required():
            raise
        pytest.skip(f"Go cannot download the schemas of Arazzo: {error}")
    content = (folder / "arazzo" / "schemas" / name).read_bytes()
    assert sha256(content).hexdigest() == digest
    schema: dict[str, Any] = json.loads(content)
    return schema


@functools.cache
def _module_folder() -> Path:
    done = subprocess.run(
        [shutil.which("go") or "go", "mod", "download", "-json", MODULE],
        cwd=tempfile.gettempdir(),  # no module of its own
        env={**os.environ, "GOTOOLCHAIN": "local"},
        check=True,
        stdout=subprocess.PIPE,
        timeout=120,
    )
    return Path(json.loads(done.stdout)["Dir"])
