"""The selection of the packages that ``make check`` tests."""

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import checks

GIT = shutil.which("git") or "git"
AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@example.com")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with two services and a package of tests, all committed on main."""
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    for folder in ("services/auth", "services/clients", "tests/unit"):
        write(tmp_path / folder / "tests" / "test_a.py")
    write(tmp_path / "docs" / "tour.md")
    write(tmp_path / "README.md")
    git(tmp_path, "init -q -b main", "add .", "commit -q -m base", "checkout -q -b change")
    return tmp_path


def git(folder: Path, *commands: str) -> None:
    """Run git commands in a repository, with an author of their own."""
    for command in commands:
        subprocess.run([GIT, *AUTHOR, *command.split()], cwd=folder, check=True)


def write(path: Path) -> None:
    """Add a line to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("# a line\n")


@pytest.mark.parametrize(
    ("changed", "packages"),
    [
        ("services/auth/src/auth/domain.py", ["services/auth"]),
        ("services/clients/tests/test_a.py", ["services/clients"]),
        ("tests/unit/tests/test_a.py", ["tests/unit"]),
        ("docs/tour.md", []),
        ("README.md", []),
    ],
)
def test_a_changed_or_new_file_selects_its_package(
    repository: Path, changed: str, packages: list[str]
) -> None:
    write(repository / changed)
    assert checks.changed_packages(checks.changed_files("main")) == packages


def test_a_committed_change_selects_its_package(repository: Path) -> None:
    write(repository / "services" / "auth" / "app.py")
    git(repository, "add .", "commit -q -m change")
    assert checks.changed_packages(checks.changed_files("main")) == ["services/auth"]


def test_an_unknown_commit_is_named(repository: Path) -> None:
    write(repository / "README.md")
    with pytest.raises(SystemExit, match="--changed-since nothing"):
        checks.changed_files("nothing")


@pytest.mark.parametrize(
    ("changed", "charts"),
    [
        (["load/values.yaml"], ["load"]),
        (["load/values.yaml", "auth/templates/deployment.yaml"], ["auth", "load"]),
        (["load/values.yaml", "service-lib/templates/_pod.tpl"], []),
        (["tests/test_values.py"], []),
    ],
)
def test_cases_of_unchanged_charts_are_left_out_unless_a_shared_file_changed(
    changed: list[str], charts: list[str]
) -> None:
    assert checks.changed_charts([Path("charts") / name for name in changed]) == charts
