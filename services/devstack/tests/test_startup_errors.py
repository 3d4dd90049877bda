"""Errors at startup: one line with the reason and a remedy."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_system import ROOT, command, refused

pytestmark = pytest.mark.covers_subprocesses


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


@pytest.mark.parametrize("name", ["a,b", "line\nbreak", "not-\udcff-utf8"])
def test_a_data_folder_that_libpq_cannot_name_is_rejected(data_folder: Path, name: str) -> None:
    sentence = refused(data_folder / name)
    assert "not UTF-8" in sentence
    assert "DATA=" in sentence
    assert not data_folder.exists()


@pytest.mark.parametrize("module", ["devstack.backup", "devstack.restore"])
def test_an_empty_data_folder_name_is_rejected(module: str) -> None:
    done = command(module, "--data", "", *(["x"] if module.endswith("restore") else []))
    assert done.returncode == 2
    assert "name a folder with DATA=" in done.stderr


def test_make_run_with_an_empty_data_folder_name_is_rejected() -> None:
    done = subprocess.run(
        ["make", "run", "DATA=", f"PYTHON={sys.executable}"],  # noqa: S607 - the user's make
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "name a folder with DATA=" in done.stderr
    assert not (ROOT / "secrets").exists()


def test_a_folder_of_other_files_is_neither_used_nor_closed_to_others(data_folder: Path) -> None:
    data_folder.mkdir(mode=0o755)
    (data_folder / "letter.txt").touch()
    sentence = refused(data_folder)
    assert "letter.txt" in sentence
    assert "DATA=" in sentence
    assert data_folder.stat().st_mode & 0o777 == 0o755


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
