"""A place that several servers back up to, such as two releases with the prefix of an example."""

import json
from pathlib import Path

import pytest

from devstack.backup import MANIFEST
from devstack.postgres import Postgres
from tests.support.devstack.backup_commands import BackupCommands

pytestmark = [pytest.mark.covers_subprocesses, pytest.mark.slow]


@pytest.fixture
def commands(server: Postgres, tmp_path: Path) -> BackupCommands:
    """The commands of one of the servers."""
    return BackupCommands(server, str(tmp_path))


def back_up_elsewhere(commands: BackupCommands, system: str) -> str:
    """Add the set of another server, and return its name."""
    name = commands.back_up("--keep", "99")
    file = Path(commands.place) / name / MANIFEST
    file.write_text(json.dumps({**json.loads(file.read_text()), "system": system}))
    return name


def test_a_backup_removes_the_old_sets_of_its_own_server_alone(commands: BackupCommands) -> None:
    others = {back_up_elsewhere(commands, system) for system in ("7", "8", "7")}
    names = [commands.back_up("--keep", "1") for _ in range(2)]
    assert {path.name for path in Path(commands.place).iterdir()} == {*others, names[-1]}
    done = commands.run("backup", "--keep", "1")
    assert "backup: sets of other servers, which are kept: 3\n" in done.stderr


def test_a_restore_takes_the_newest_set_of_its_own_server(commands: BackupCommands) -> None:
    own = commands.back_up()
    later = back_up_elsewhere(commands, "7")
    assert commands.restore()["set"] == own
    assert commands.restore("--set", later)["set"] == later


def test_a_new_server_takes_the_newest_set_of_the_one_that_it_replaces(
    commands: BackupCommands,
) -> None:
    first, second = (back_up_elsewhere(commands, "7") for _ in range(2))
    assert commands.restore()["set"] == second
    third = back_up_elsewhere(commands, "8")
    message = f"the backups are of several servers, choose a set: {second} of 7, {third} of 8"
    assert commands.fail("restore") == f"restore: {message}"
    assert commands.restore("--set", first)["set"] == first
