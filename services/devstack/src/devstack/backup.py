"""`python -m devstack.backup`: dumps the four databases of a running or stopped system.

Each dump is consistent, but the dumps have different times, which a manifest lists with checksums.
The secrets of the data folder are not included.
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

from devstack.data_folder import DataFolder, DataFolderError, data_path
from devstack.postgres import Postgres, PostgresError
from devstack.postgres_programs import program
from devstack.service_catalog import SERVICES

MANIFEST = "manifest.json"
FAILURE = 1  # exit code


class BackupError(Exception):
    """A backup cannot be created or used; the message has the reason and a remedy."""


def main() -> int:
    """Back up, print the folder of the backup, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack.backup", description=__doc__)
    add_data_option(parser)
    parser.add_argument(
        "--to", type=Path, default=Path("backups"), help="folder of the backups (backups)"
    )
    options = parser.parse_args()
    try:
        with running_server(DataFolder(options.data)) as server:
            backup = back_up(server, options.to)
    except (BackupError, DataFolderError, PostgresError) as error:
        sys.stderr.write(f"backup: {error}\n")
        return FAILURE
    print(backup)
    return 0


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add the option for the data folder."""
    parser.add_argument(
        "--data", type=data_path, default=Path(".cadastro"), help="data folder (.cadastro)"
    )


@contextmanager
def running_server(folder: DataFolder) -> Iterator[Postgres]:
    """Return the running server of a data folder, or run one until the block ends."""
    server = Postgres(folder.postgres, folder.logs / "postgres.log")
    if not (folder.postgres / "PG_VERSION").exists():
        raise BackupError(f"there are no databases in {folder.path}: name the folder with DATA=...")
    if server.is_ready():
        yield server
        return
    with locked(folder):
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def locked(folder: DataFolder) -> Iterator[None]:
    """Lock a data folder; raise ``DataFolderError`` if a system uses it."""
    folder.open()
    try:
        yield
    finally:
        folder.close()


def back_up(server: Postgres, target: Path) -> Path:
    """Dump all databases into a new folder below ``target``, and return that folder.

    The folder gets its name when the backup is complete.

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
        dumped_at = datetime.now(UTC).isoformat(timespec="seconds")
        digest = _dump(server, name, draft / f"{name}.dump")
        databases[name] = {"at": dumped_at, "sha256": digest}
    manifest = {"made_at": now.isoformat(timespec="seconds"), "databases": databases}
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    draft.rename(final)
    return final


def verify_dump(backup: Path, name: str) -> tuple[Path, str]:
    """Return the dump of a database and its time.

    Raises:
        BackupError: it is missing, or its checksum is wrong.

    """
    try:
        entry = json.loads((backup / MANIFEST).read_text())["databases"][name]
        dump = backup / f"{name}.dump"
        digest = _digest(dump)
    except (OSError, ValueError, KeyError) as error:
        raise BackupError(
            f"{backup} is not a complete backup of {name} ({error}): name another one"
        ) from error
    if digest != entry["sha256"]:
        raise BackupError(f"{dump} has a wrong checksum: name another backup")
    return dump, str(entry["at"])


def _dump(server: Postgres, name: str, path: Path) -> str:
    command = [program("pg_dump"), "--format=custom", "--no-owner", server.url(name)]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        done = subprocess.run(command, check=False, stdout=file, stderr=subprocess.PIPE)  # noqa: S603 - ours
    if done.returncode:
        error = done.stderr.decode(errors="replace")[-300:]
        raise BackupError(f"pg_dump could not read {name}: {error}")
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
