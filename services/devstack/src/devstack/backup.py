"""``python -m devstack.backup``: the four databases into files, while the system runs or not.

Each database is dumped as it is at one moment of its own; a manifest beside the dumps says when,
and what they are. The secrets of the data folder are not in it.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from devstack.data_folder import DataFolder, FolderError
from devstack.postgres import Postgres, PostgresError, program
from devstack.service_catalog import SERVICES

MANIFEST = "manifest.json"
FAILED = 1


class BackupError(Exception):
    """A backup cannot be made or used; the message says why and what to do."""


def main() -> int:
    """Back up, say where to, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack.backup", description=__doc__)
    add_data(parser)
    parser.add_argument(
        "--to", type=Path, default=Path("backups"), help="the folder for backups (backups)"
    )
    options = parser.parse_args()
    try:
        with database_server(DataFolder(options.data)) as server:
            made = back_up(server, options.to)
    except (BackupError, FolderError, PostgresError) as error:
        sys.stderr.write(f"backup: {error}\n")
        return FAILED
    print(made)
    return 0


def add_data(parser: argparse.ArgumentParser) -> None:
    """Let a command take the data folder."""
    parser.add_argument(
        "--data", type=Path, default=Path(".cadastro"), help="the data folder (.cadastro)"
    )


@contextmanager
def database_server(folder: DataFolder) -> Iterator[Postgres]:
    """Lend the server of a data folder: the one that runs, or one that runs for as long."""
    server = Postgres(folder.postgres, folder.logs / "postgres.log")
    if not (folder.postgres / "PG_VERSION").exists():
        message = f"there are no databases in {folder.path}: name the folder with DATA=..."
        raise BackupError(message)
    if server.answers():
        yield server
        return
    with only_user(folder):
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def only_user(folder: DataFolder) -> Iterator[None]:
    """Keep every other run out of a data folder; raises ``FolderError`` when there is one."""
    folder.open()
    try:
        yield
    finally:
        folder.close()


def back_up(server: Postgres, target: Path) -> Path:
    """Dump every database into a new folder below ``target``, and return that folder.

    Nothing bears the folder's name before all of it is there.

    Raises:
        BackupError: a database could not be dumped.

    """
    now = datetime.now(UTC)
    final = target / now.strftime("%Y%m%dT%H%M%S.%fZ")
    draft = target / f".{final.name}.draft"
    draft.mkdir(mode=0o700, parents=True)
    databases = {}
    for name in SERVICES:
        sys.stderr.write(f"backup: {name}\n")
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        digest = _dump(server, name, draft / f"{name}.dump")
        databases[name] = {"at": moment, "sha256": digest}
    manifest = {"made_at": now.isoformat(timespec="seconds"), "databases": databases}
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    draft.rename(final)
    return final


def checked_dump(backup: Path, name: str) -> tuple[Path, str]:
    """Return a database's dump and its moment.

    Raises:
        BackupError: it is not there, or not what was written.

    """
    try:
        entry = json.loads((backup / MANIFEST).read_text())["databases"][name]
        dump = backup / f"{name}.dump"
        digest = _digest(dump)
    except (OSError, ValueError, KeyError) as error:
        message = f"{backup} is not a whole backup of {name} ({error}): name another one"
        raise BackupError(message) from error
    if digest != entry["sha256"]:
        message = f"{dump} is not as it was written: name another backup"
        raise BackupError(message)
    return dump, str(entry["at"])


def _dump(server: Postgres, name: str, path: Path) -> str:
    command = [program("pg_dump"), "--format=custom", "--no-owner", server.url(name)]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        done = subprocess.run(command, check=False, stdout=file, stderr=subprocess.PIPE)  # noqa: S603 - ours
    if done.returncode:
        message = f"pg_dump could not read {name}: {done.stderr.decode(errors='replace')[-300:]}"
        raise BackupError(message)
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
