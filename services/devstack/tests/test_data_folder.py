"""The data folder: private, durable, and repaired after a power loss."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from auth import keys
from devstack import postgres_programs
from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from devstack.pytest_postgres import FAST_SETTINGS
from devstack.system_account import Account
from servicekit import durable_files
from servicekit.testing import wait_until
from tests.support.local_system import START_TIMEOUT, System, assert_exited


@pytest.fixture
def folder(data_folder: Path) -> Iterator[DataFolder]:
    """A data folder that was opened once."""
    folder = DataFolder(data_folder)
    with closing(folder):
        folder.open()
    keys.new(folder.keys)
    yield folder
    shutil.rmtree(data_folder)


def reopen(folder: DataFolder) -> DataFolder:
    """Open the same folder as the next start does."""
    again = DataFolder(folder.path)
    with closing(again):
        again.open()
    return again


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 43, b" \n", b"half\0\0\0", "senhã".encode("latin1")]
)
def test_a_broken_secret_is_replaced_and_named(folder: DataFolder, content: bytes) -> None:
    broken, other = folder.oauth_clients / "clients", folder.oauth_clients / "synthetic"
    kept = other.read_bytes()
    broken.write_bytes(content)
    again = reopen(folder)
    assert [str(broken) in sentence for sentence in again.repairs] == [True]
    assert len(broken.read_bytes()) == len(kept)
    assert other.read_bytes() == kept
    assert reopen(folder).repairs == []


def test_a_secret_of_the_user_is_kept(folder: DataFolder) -> None:
    (folder.oauth_clients / "clients").write_text("my-own\n")
    assert reopen(folder).repairs == []
    assert (folder.oauth_clients / "clients").read_text() == "my-own\n"


@pytest.mark.parametrize("content", [b"", b"\0" * 241, b"\n"])
def test_blank_signing_keys_are_deleted_and_named(folder: DataFolder, content: bytes) -> None:
    blank = [*folder.keys.glob("*.pem"), folder.keys / keys.CURRENT_FILE]
    for path in blank:
        path.write_bytes(content)
    again = reopen(folder)
    assert len(again.repairs) == len(blank)
    assert keys.new(folder.keys) == keys.read(folder.keys)[1]


def test_the_drafts_of_secrets_and_keys_that_a_kill_has_left_are_removed(
    folder: DataFolder,
) -> None:
    key = next(folder.keys.glob("*.pem")).read_bytes()
    for path in (folder.keys / "0123.pem", folder.oauth_clients / "clients"):
        path.with_name(f".{path.name}.draft").write_bytes(key)
    assert reopen(folder).repairs == []
    assert [path for path in folder.path.rglob(".*") if path.suffix == ".draft"] == []


def test_a_data_folder_of_an_earlier_release_is_closed_to_other_accounts(
    folder: DataFolder,
) -> None:
    for path in (folder.path, folder.logs, folder.traefik):
        path.chmod(0o755)
    reopen(folder)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.path.rglob("*") if path.is_dir()}
    assert modes | {stat.S_IMODE(folder.path.stat().st_mode)} == {0o700}


def test_a_file_is_on_the_disk_before_it_gets_its_name_and_then_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[bool, bool]] = []  # whether a folder was flushed, whether the file existed
    target = tmp_path / "secret"

    def fsync(descriptor: int) -> None:
        flushed.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), target.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    durable_files.write(target, b"x")
    assert flushed == [(False, False), (True, True)]
    durable_files.create_folder(tmp_path / "a" / "b")
    assert flushed[2:] == [(True, True), (True, True)]


def test_initdb_flushes_the_database(data_folder: Path) -> None:
    server = Postgres(data_folder / "pg", data_folder / "postgres.log")
    data_folder.mkdir()
    server.initialise()
    assert "syncing data to disk ... ok" in server.log.read_text()


def test_a_start_killed_while_it_creates_the_database_leaves_nothing_behind(
    data_folder: Path,
) -> None:
    system = System(data_folder)
    wait_until(
        lambda: any(data_folder.glob(".postgres-*/PG_VERSION")), "initdb to start", START_TIMEOUT
    )
    parts = system.parts()
    for part in parts:
        with suppress(psutil.NoSuchProcess):  # initdb runs programs for a moment
            part.kill()
    assert_exited(parts)
    system.wait()
    assert not (data_folder / "postgres").exists()
    server = Postgres(data_folder / "postgres", data_folder / "logs" / "p.log", FAST_SETTINGS)
    assert server.initialise()
    assert list(data_folder.glob(".postgres-*")) == []
    server.start()
    assert server.execute("SELECT 1") == [(1,)]
    server.stop()


def test_a_folder_with_a_half_created_database_of_an_earlier_release_is_named(
    data_folder: Path,
) -> None:
    (data_folder / "postgres" / "base").mkdir(parents=True)
    server = Postgres(data_folder / "postgres", data_folder / "postgres.log")
    with pytest.raises(Exception, match=r"no complete database.*DATA="):
        server.initialise()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as another account")
def test_roots_postgresql_runs_from_a_copy_if_the_programs_are_below_a_closed_folder(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = Path(postgres_programs.program("postgres")).parents[1]
    packages = installation.parents[1]
    closed = data_folder.parent / "root"
    closed.mkdir(mode=0o700)
    for folder in (installation, packages / f"{postgres_programs.PACKAGE}.libs"):
        shutil.copytree(folder, closed / folder.relative_to(packages), symlinks=True)
    moved = closed / installation.relative_to(packages)
    monkeypatch.setattr(postgres_programs, "_installation", lambda: moved)
    copies = data_folder.parent / "copies"
    monkeypatch.setattr(postgres_programs, "COPIES", copies)
    (copies / ".draft-of-a-killed-start" / "bin").mkdir(parents=True)
    server = Postgres(data_folder / "pg", data_folder / "postgres.log", FAST_SETTINGS)
    for _ in range(2):
        server.initialise()
        server.start()
        try:
            assert server.process is not None
            executable = Path(psutil.Process(server.process.pid).exe())
        finally:
            server.stop()
        assert executable.is_relative_to(copies)
    assert len(list(copies.iterdir())) == 1


def test_a_database_below_a_closed_folder_is_created_and_served(data_folder: Path) -> None:
    closed = data_folder.parent / "closed"
    closed.mkdir(mode=0o700)
    place = closed / "a b%=&+é'\"$#?"
    place.mkdir(mode=0o700)
    server = Postgres(place / "pg", place / "postgres.log", FAST_SETTINGS)
    server.initialise()
    server.start()
    try:
        assert server.execute("SHOW unix_socket_directories") == [(".",)]
        assert server.process is not None
        assert psutil.Process(server.process.pid).uids().real == Account.current().uid
    finally:
        server.stop()
