"""Locust's settings of the user: they do not change a run."""

from pathlib import Path

import pytest

from load.harness.locust_process import run_locust
from load.harness.run_config import RunConfig, RunError
from servicekit.testing import environment


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of the user."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def run_without_a_system(home: Path, folder: Path, **settings: str) -> str:
    """Return the error of a run whose system does not respond; a worker would wait for a master."""
    folder.mkdir()
    with environment(HOME=str(home), **settings), pytest.raises(RunError) as error:
        run_locust(RunConfig("http://127.0.0.1:9", "smoke"), folder, "load-0")
    return str(error.value)


@pytest.mark.parametrize(
    "name", ["LOCUST_MODE_WORKER", "LOCUST_TAGS", "LOCUST_CSV", "LOCUST_USERS"]
)
def test_variables_of_locust_are_ignored(home: Path, tmp_path: Path, name: str) -> None:
    error = run_without_a_system(home, tmp_path / "run", **{name: "true"})
    assert "seeding failed" in error


def test_a_file_of_locust_in_the_home_folder_is_ignored(home: Path, tmp_path: Path) -> None:
    (home / ".locust.conf").write_text("worker = true\n")
    assert "seeding failed" in run_without_a_system(home, tmp_path / "run")
