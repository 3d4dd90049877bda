"""`python -m devstack.backup`: dumps the four databases of a running or stopped system.

Each dump is consistent, but the dumps have different times, which a manifest lists with checksums.
The secrets of the data folder are not included.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from devstack import environment
from devstack.data_folder import DataFolder, DataFolderError
from devstack.draft_folder import new_draft
from devstack.postgres import Postgres, PostgresError
from devstack.postgres_programs import program
from devstack.server import Server
from devstack.service_catalog import SERVICES
from devstack.supervisor import die_with_parent
from servicekit import durable_files

MANIFEST = "manifest.json"
FAILURE, INTERRUPTED = 1, 130  # exit codes


class BackupError(Exception):
    """A backup cannot be created or used; the message has the reason and a remedy."""


def main() -> int:
    """Back up, print the folder of the backup, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack.backup", description=__doc__)
    add_data_option(parser)
    parser.add_argument(
        "--to",
        type=folder_option("TO"),
        default=Path("backups"),
        help="folder of the backups (backups)",
    )
    options = parser.parse_args()
    environment.apply()
    os.umask(0o077)
    interrupt_on_signals()
    try:
        with running_server(DataFolder(options.data)) as server:
            backup = back_up(server, options.to)
    except (BackupError, DataFolderError, PostgresError) as error:
        sys.stderr.write(f"backup: {error}\n")
        return FAILURE
    except KeyboardInterrupt:
        sys.stderr.write("backup: interrupted; nothing was written\n")
        return INTERRUPTED
    print(backup)
    return 0


def folder_option(name: str) -> Callable[[str], Path]:
    """Return an ``argparse`` type for the path of a folder, which has to be a text."""

    def parse(text: str) -> Path:
        if not text:
            raise argparse.ArgumentTypeError(f"{name} is empty: name a folder with {name}=...")
        try:
            text.encode()
        except UnicodeEncodeError:  # the title of the process contains the options too
            raise argparse.ArgumentTypeError(
                f"the path {text!r} has bytes that are not UTF-8: name another one with {name}=..."
            ) from None
        return Path(text)

    return parse


def interrupt_on_signals() -> None:
    """Raise ``KeyboardInterrupt`` at each signal that requests the end, not only at Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add the option for the data folder."""
    parser.add_argument(
        "--data",
        type=folder_option("DATA"),
        default=Path(".cadastro"),
        help="data folder (.cadastro)",
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


def back_up(server: Server, target: Path) -> Path:
    """Dump all databases into a new folder below ``target``, and return that folder.

    The folder gets its name when the backup is complete and on the disk. Drafts of killed backups
    are removed.

    Raises:
        BackupError: a database could not be dumped, or the folder not written.

    """
    final = target / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    draft = target / f".{final.name}.draft"
    try:
        durable_files.create_folder(target)
        with new_draft(draft, ".*Z.draft", _report_stale):
            _write(server, draft)
            durable_files.rename(draft, final)
    except OSError as error:
        raise BackupError(
            f"{target} cannot be written ({error.strerror}): name another folder with TO=..."
        ) from error
    return final


def _report_stale(draft: Path) -> None:
    sys.stderr.write(f"backup: removing {draft}, which a killed backup has left\n")


def _write(server: Server, folder: Path) -> None:
    """Write the dumps and their manifest to a folder."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    databases = {}
    for name in SERVICES:
        sys.stderr.write(f"backup: {name}\n")
        dumped_at = datetime.now(UTC).isoformat(timespec="seconds")
        digest = _dump(server, name, folder / f"{name}.dump")
        databases[name] = {"at": dumped_at, "sha256": digest}
    manifest = {"made_at": made_at, "system": system_id(server), "databases": databases}
    durable_files.write(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())


def verify_dump(backup: Path, name: str) -> tuple[Path, str]:
    """Return the dump of a database and its time.

    Raises:
        BackupError: it is missing, or its checksum is wrong.

    """
    dump = backup / f"{name}.dump"
    try:
        entry = json.loads((backup / MANIFEST).read_text())["databases"][name]
        dumped_at, expected, digest = entry["at"], entry["sha256"], _digest(dump)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(
            f"{backup} is not a complete backup of {name} ({error}): name another one"
        ) from error
    if digest != expected:
        raise BackupError(f"{dump} has a wrong checksum: name another backup")
    return dump, str(dumped_at)


def system_id(server: Server) -> str:
    """Return the identifier of a database server, which each new data folder has of its own."""
    return str(server.execute("SELECT system_identifier FROM pg_control_system()")[0][0])


def system_of(manifest: bytes) -> str:
    """Return the identifier of the server of a backup; empty if its manifest is not readable."""
    try:
        return str(json.loads(manifest).get("system") or "")
    except (ValueError, AttributeError):
        return ""


def is_of(backup: Path, server: Server) -> bool:
    """Return whether a backup with a valid manifest was made from this server."""
    return system_of((backup / MANIFEST).read_bytes()) == system_id(server)


def _dump(server: Server, name: str, path: Path) -> str:
    command = [program("pg_dump"), "--format=custom", "--no-owner", server.url(name)]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            check=False,
            stdout=file,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        os.fsync(file.fileno())
    if done.returncode:
        error = done.stderr.decode(errors="replace")[-300:]
        raise BackupError(f"pg_dump could not read {name}: {error}")
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
