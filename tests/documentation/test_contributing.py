"""The example changes of CONTRIBUTING.md, applied to a copy of the tree and tested there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
PATCHES = Path(__file__).with_name("patches")
BIN = Path(sys.executable).parent
MAX_FIELD_FILES = 4  # besides its tests
MAX_FIELD_LINES = 15  # besides its migration and its tests
MAX_SERVICE_LINES = 250  # besides its tests
CALL = """
import sys
from pathlib import Path
import httpx
from tests.support import local_system
local_system.ISOLATED = ()  # the packages of this copy are on PYTHONPATH
with local_system.running(Path(sys.argv[1])) as system:
    print(httpx.get(f"{system.url}/suppliers/health"), httpx.post(f"{system.url}/suppliers/create"))
"""
ROBOT = """
import subprocess, sys
from pathlib import Path
from tests.support import local_system
local_system.ISOLATED = ()  # the packages of this copy are on PYTHONPATH
data = Path(sys.argv[1])
with local_system.running(data) as system:
    suite = [sys.executable, "-m", "executar", "--url", system.url, "--etiqueta", "produtos"]
    subprocess.run([*suite, "--relatorios", str(data.parent / "robot")], check=True)
"""
TEST_VARIABLES = ("CADASTRO_", "COV", "PYTEST")  # prefixes set by the enclosing test run


def example(name: str) -> tuple[str, str]:
    """Return the patch of an example change and the patch of its tests."""
    change, tests = (PATCHES / f"{name}.patch", PATCHES / f"{name}-tests.patch")
    return change.read_text(), tests.read_text()


def files_of(patch: str) -> set[str]:
    """Return the paths that a patch adds or changes."""
    return set(re.findall(r"^\+\+\+ b/(.+)$", patch, re.MULTILINE))


def added_lines(patch: str, *, except_in: str = "") -> int:
    """Return the number of lines that a patch adds, except in files with a part of their path."""
    parts = [part for part in re.split(r"^(?=diff --git )", patch, flags=re.MULTILINE) if part]
    counted = [part for part in parts if not except_in or except_in not in part.splitlines()[0]]
    return sum(len(re.findall(r"^\+(?!\+\+ b/)", part, re.MULTILINE)) for part in counted)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the working tree, including uncommitted files."""
    listed = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, tmp_path / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return tmp_path


def run(folder: Path, *command: str, given: str = "") -> str:
    """Run a command in the copy with its packages first on the path; return its output."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(TEST_VARIABLES)
    }
    sources = sorted(
        [folder, folder / "robot", folder / "synthetic" / "src", *folder.glob("services/*/src")]
    )
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


def test_the_page_names_every_file_of_the_field() -> None:
    change, _ = example("field")
    section = PAGE.partition("## Add a field\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)) == files_of(change)


@pytest.mark.long
def test_a_field_takes_four_files_and_passes_every_suite_of_its_service(
    copy: Path, data_folder: Path
) -> None:
    change, test = example("field")
    assert len(files_of(change)) <= MAX_FIELD_FILES
    assert added_lines(change, except_in="/migrations/") <= MAX_FIELD_LINES
    for patch in (change, test):
        run(copy, "git", "apply", given=patch)
    run(copy, str(BIN / "ruff"), "check", "services/products")
    migrations = "services/servicekit/tests/test_migrations.py"
    run(copy, str(BIN / "pytest"), "-q", "openapi/tests", "services/products", migrations)
    run(copy, sys.executable, "-c", ROBOT, str(data_folder))


@pytest.mark.long
def test_a_service_takes_few_lines_and_responds_behind_the_ingress(
    copy: Path, data_folder: Path
) -> None:
    change, test = example("service")
    assert added_lines(change) < MAX_SERVICE_LINES
    for patch in (change, test):
        run(copy, "git", "apply", given=patch)
    python = sys.executable
    run(copy, python, "-m", "scripts.charts.new_chart", "suppliers")
    run(copy, python, "-m", "scripts.charts.chart_docs")
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
