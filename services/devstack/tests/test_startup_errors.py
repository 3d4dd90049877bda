"""Errors at startup: one line with the reason and a remedy."""

import os
from pathlib import Path

import pytest

from tests.support.local_system import command, refused


def test_data_of_another_postgresql_version_is_rejected_and_unchanged(data_folder: Path) -> None:
    version = data_folder / "postgres" / "PG_VERSION"
    version.parent.mkdir(parents=True)
    version.write_text("15\n")
    sentence = refused(data_folder)
    assert "PostgreSQL 15" in sentence
    assert "DATA=" in sentence
    assert version.read_text() == "15\n"


def test_the_error_names_a_data_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = refused(tmp_path / "file" / "data")
    assert "file/data" in sentence
    assert "DATA=" in sentence


def test_a_data_folder_with_a_long_path_is_rejected(data_folder: Path) -> None:
    assert "too long" in refused(data_folder / ("x" * 120))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as another account")
def test_the_error_names_a_folder_closed_to_the_account_of_postgresql(data_folder: Path) -> None:
    closed = data_folder.parent / "closed"
    closed.mkdir(mode=0o700)
    sentence = refused(closed / "data")
    assert str(closed) in sentence
    assert "DATA=" in sentence


@pytest.mark.parametrize(
    ("option", "value"),
    [("--port", "http"), ("--port", "0"), ("--port", "70000"), ("--validation", "lax")],
)
def test_the_error_names_an_invalid_option_value(option: str, value: str) -> None:
    done = command("devstack", "run", option, value)
    assert done.returncode == 2
    assert value in done.stderr


def test_memory_without_a_running_system_fails_with_a_remedy(tmp_path: Path) -> None:
    done = command("devstack", "memory", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "make run" in done.stderr
