"""The definitions of the Gateway API, from its Go module."""

import json
import shutil
from pathlib import Path

from tests.support.commands import run_command

MODULE = "sigs.k8s.io/gateway-api"
HERE = Path(__file__).parent


def definitions() -> str:
    """Return the manifests of the standard channel; an empty text without Go on the PATH."""
    if shutil.which("go") is None:
        return ""
    found = json.loads(run_command("go", "mod", "download", "-C", str(HERE), "-json", MODULE))
    files = sorted((Path(found["Dir"]) / "config" / "crd" / "standard").glob("*.yaml"))
    return "\n---\n".join(file.read_text() for file in files)
