"""Backups and restores that were stopped or killed leave nothing that counts as complete."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

import devstack.backup
from devstack import databases
from devstack.backup import MANIFEST, BackupError, back_up, is_of
from devstack.postgres import Postgres
from servicekit.testing import wait_until
from tests.support.local_system import START_TIMEOUT

pytestmark = pytest.mark.covers_subprocesses
NAMES = "SELECT datname FROM pg_database ORDER BY 1"


@contextmanager
def hanging_backup(server: Postgres, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run the command of backups, which waits for a locked table; then unlock the table."""
    data, target = folder / "data", folder / "backups"
    data.mkdir()
    (data / "postgres").symlink_to(server.folder)
    command = [sys.executable, "-m", "devstack.backup", "--data", str(data), "--to", str(target)]
    with closing(psycopg2.connect(server.url("auth"))) as connection:
        connection.cursor().execute("LOCK TABLE users")
        backup = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_dump'"
        wait_until(lambda: bool(server.execute(waiting)), "pg_dump to run", START_TIMEOUT)
        yield backup
        connection.rollback()  # its session does not notice its end while it waits
        wait_until(lambda: not server.execute(waiting), "pg_dump to end", START_TIMEOUT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_backup_leaves_no_draft(
    server: Postgres, tmp_path: Path, number: signal.Signals
) -> None:
    with hanging_backup(server, tmp_path) as backup:
        backup.send_signal(number)
        _, errors = backup.communicate(timeout=START_TIMEOUT)
    assert backup.returncode == 130
    assert errors.splitlines()[-1] == "backup: interrupted; nothing was written"
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_draft_of_a_killed_backup_is_removed_by_the_next_and_that_of_a_running_one_is_not(
    server: Postgres,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "backups"
    with hanging_backup(server, tmp_path) as backup:
        (draft,) = target.iterdir()
        monkeypatch.setattr(devstack.backup, "SERVICES", ("missing",))
        with pytest.raises(BackupError, match="could not read missing"):
            back_up(server, target)
        assert list(target.iterdir()) == [draft]
        monkeypatch.undo()
        backup.kill()
        backup.communicate()
    assert list(target.iterdir()) == [draft]
    assert f"removing {draft}" not in capsys.readouterr().err
    done = back_up(server, target)
    assert list(target.iterdir()) == [done]
    assert f"removing {draft}" in capsys.readouterr().err


def test_the_copies_of_a_killed_restore_are_dropped(server: Postgres) -> None:
    before = server.execute(NAMES)
    server.execute("CREATE DATABASE clients_restored")
    server.execute("CREATE DATABASE products_before")
    assert databases.drop_leftovers(server) == ["clients_restored", "products_before"]
    assert server.execute(NAMES) == before
    assert databases.drop_leftovers(server) == []


def test_a_backup_names_the_system_that_it_is_of(server: Postgres, tmp_path: Path) -> None:
    backup = back_up(server, tmp_path)
    assert is_of(backup, server)
    manifest = json.loads((backup / MANIFEST).read_text())
    (backup / MANIFEST).write_text(json.dumps({**manifest, "system": "1"}))
    assert not is_of(backup, server)
