"""What cannot be run is refused in one sentence that says what to do."""

import os
from pathlib import Path

import pytest

from tests.support.local_system import command, refused


def test_a_data_folder_of_another_version_is_left_alone(data_folder: Path) -> None:
    version = data_folder / "postgres" / "PG_VERSION"
    version.parent.mkdir(parents=True)
    version.write_text("15\n")
    sentence = refused(data_folder)
    assert "PostgreSQL 15" in sentence
    assert "DATA=" in sentence
    assert version.read_text() == "15\n"


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = refused(tmp_path / "file" / "data")
    assert "file/data" in sentence
    assert "DATA=" in sentence


def test_a_data_folder_with_too_long_a_path_is_refused(data_folder: Path) -> None:
    assert "too long" in refused(data_folder / ("x" * 120))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as another account")
def test_a_data_folder_that_postgresql_cannot_get_at_is_told(data_folder: Path) -> None:
    closed = data_folder.parent / "closed"
    closed.mkdir(mode=0o700)
    sentence = refused(closed / "data")
    assert str(closed) in sentence
    assert "DATA=" in sentence


@pytest.mark.parametrize(
    ("option", "value"),
    [("--port", "http"), ("--port", "0"), ("--port", "70000"), ("--validation", "lax")],
)
def test_a_bad_option_is_named(option: str, value: str) -> None:
    done = command("devstack", "run", option, value)
    assert done.returncode == 2
    assert value in done.stderr


def test_memory_of_nothing_is_told(tmp_path: Path) -> None:
    done = command("devstack", "memory", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "make run" in done.stderr
