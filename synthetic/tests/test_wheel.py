"""The wheel of the package, installed apart from the checkout."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
CONTRACT = """\
openapi: 3.1.0
info: {title: Library, version: '1'}
servers: [{url: 'http://127.0.0.1:9'}]
paths:
  /books:
    get:
      operationId: listBooks
      responses:
        '200': {description: All books, content: {application/json: {schema: {type: array}}}}
"""
JOURNEY = """\
arazzo: 1.0.1
info: {title: Library, version: '1'}
sourceDescriptions: [{name: library, url: library.yaml, type: openapi}]
workflows:
  - workflowId: browse
    steps:
      - {stepId: list, operationId: OPERATION, successCriteria: [{condition: $statusCode == 200}]}
"""


def test_the_wheel_has_the_dependencies_of_the_image() -> None:
    project = tomllib.loads((ROOT / "synthetic" / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements" / "synthetic.in").read_text().splitlines()
    listed = [line.partition("#")[0].strip() for line in lines]
    assert project["dependencies"] == [name for name in listed if name]


@pytest.mark.long  # it installs some twenty packages
def test_the_installed_wheel_checks_documents(tmp_path: Path) -> None:
    lock = ROOT / "requirements" / "synthetic.lock"
    run(str(UV), "build", "--quiet", "--wheel", str(ROOT / "synthetic"), "-o", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    run(str(UV), "venv", "--quiet", str(tmp_path / "venv"))
    python = ("--python", str(tmp_path / "venv" / "bin" / "python"))
    run(str(UV), "pip", "install", "--quiet", *python, str(wheel), "--constraint", str(lock))
    (tmp_path / "library.yaml").write_text(CONTRACT)
    journey = tmp_path / "browse.arazzo.yaml"
    command = [str(tmp_path / "venv" / "bin" / "synthetic"), "check", str(journey)]
    for operation, code, message in (
        ("listBooks", 0, "1 valid workflow, 0 mistakes"),
        ("listBoks", 1, "browse.arazzo.yaml:7:"),
    ):
        journey.write_text(JOURNEY.replace("OPERATION", operation))
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (code, "")
        assert message in done.stdout


def run(*command: str) -> None:
    """Run a command apart from the environment of the tests."""
    subprocess.run(command, env=environment(), check=True)


def environment() -> dict[str, str]:
    """Return the environment without variables that Python reads."""
    return {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
