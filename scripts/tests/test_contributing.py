"""The walks of CONTRIBUTING.md, made on a copy of the tree, and what they lead to."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BIN = Path(sys.executable).parent
MOST_FILES = 4  # of a new field, beside its test
LINES = 250  # of a new service, beside its tests
CALL = """
import sys
from pathlib import Path
import httpx
from system import running
with running(Path(sys.argv[1])) as system:
    print(httpx.get(f"{system.url}/suppliers/health"), httpx.post(f"{system.url}/suppliers/create"))
"""
NOT_OURS = ("CADASTRO_", "COV", "PYTEST")  # what a run of our own leaves in the environment


def patches(walk: str) -> list[str]:
    """Return the patches of a walk, in order."""
    section = PAGE.partition(f"## {walk}\n")[2].partition("\n## ")[0]
    return re.findall(r"```diff\n(.*?)```", section, re.DOTALL)


def files_of(patch: str) -> set[str]:
    """Return the files that a patch touches."""
    return set(re.findall(r"^\+\+\+ b/(.+)$", patch, re.MULTILINE))


def written(patch: str) -> int:
    """Return how many lines a patch adds."""
    return len(re.findall(r"^\+(?!\+\+ b/)", patch, re.MULTILINE))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree as it is now, committed or not."""
    listed = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, tmp_path / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return tmp_path


def run(folder: Path, *command: str, given: str = "") -> str:
    """Run a command in the copy, whose packages come before the installed ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    beside = (folder / "synthetic" / "src", folder / "services" / "localstack" / "tests")
    sources = sorted([*folder.glob("services/*/src"), *beside])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, "PYTHONPATH": os.pathsep.join(map(str, sources))},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_field_takes_four_files_and_is_stored(copy: Path) -> None:
    change, test = patches("Add a field")
    assert len(files_of(change)) <= MOST_FILES
    for patch in (change, test):
        run(copy, "git", "apply", given=patch)
    run(copy, str(BIN / "ruff"), "check", "services/products")
    run(
        copy, str(BIN / "pytest"), "-q", "openapi/tests", "services/products/tests/test_products.py"
    )


def test_a_service_takes_few_lines_and_answers_behind_the_ingress(
    copy: Path, data_folder: Path
) -> None:
    change, test = patches("Add a service")
    assert written(change) < LINES
    for patch in (change, test):
        run(copy, "git", "apply", given=patch)
    python = sys.executable
    run(copy, python, "scripts/charts/new_chart.py", "suppliers")
    run(copy, python, "scripts/charts/chart_docs.py")
    run(copy, str(BIN / "ruff"), "check", "services", "openapi", "charts")
    run(copy, str(BIN / "lint-imports"))
    run(copy, str(BIN / "pytest"), "-q", "services/suppliers", "openapi/tests/test_contracts.py")
    charts = [
        f"charts/tests/test_{about}.py" for about in ("charts", "routes", "secrets", "values")
    ]
    chosen = (
        "routes or whom or sweep or helms_own_lint or production or (suppliers and not changes)"
    )
    run(copy, str(BIN / "pytest"), "-q", *charts, "-k", chosen)
    answers = run(copy, python, "-c", CALL, str(data_folder))
    assert "200 OK" in answers  # the service and its database
    assert "401 Unauthorized" in answers
