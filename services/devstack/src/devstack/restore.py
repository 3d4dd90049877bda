"""``python -m devstack.restore``: databases as a backup has them, all four or some alone.

The system must be stopped. A database is restored beside the one that is there and takes its
place when it is whole. What the two differ in is told, no id that was ever given is given again,
and in the end the inventory is compared with the owners of its ids.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from devstack import prefork
from devstack.backup import (
    FAILED,
    BackupError,
    add_data,
    checked_dump,
    database_server,
    only_user,
)
from devstack.data_folder import DataFolder, FolderError
from devstack.postgres import Postgres, PostgresError, program
from devstack.service_catalog import SERVICES, tables
from devstack.stack import Stack, StackError, free_ports
from devstack.supervisor import ChildDiedError

BATCH = 10_000  # ids that are fetched at once
OWNED = {"clients": "client_id", "products": "product_id"}  # as the inventory calls their ids
EXPECTED = (BackupError, ChildDiedError, FolderError, PostgresError, StackError)


@dataclass(frozen=True)
class Difference:
    """What a restored table lacks of the one that it replaces, and what it has again."""

    lost: int  # rows that were made since the backup
    back: int  # rows that were deleted since
    newest_id: int  # that is known to have been given


def main() -> int:
    """Restore, print what changed as a line of JSON, and return the exit code."""
    options = _parser().parse_args()
    prefork.share()
    folder = DataFolder(options.data)
    try:
        with only_user(folder):
            pass  # a system that runs is told of before anything is done
        with database_server(folder) as server:
            found = {name: restore(server, options.backup, name) for name in options.services}
        code, compared = _reconcile(folder, options.at_most)
    except EXPECTED as error:
        sys.stderr.write(f"restore: {error}\n")
        return FAILED
    told = {name: {t: asdict(d) for t, d in one.items()} for name, one in found.items()}
    print(json.dumps({"restored": told, "inventory": compared}))
    return code


def restore(server: Postgres, backup: Path, name: str) -> dict[str, Difference]:
    """Put the database ``name`` back as ``backup`` has it; return what changed, by table.

    Raises:
        BackupError: the backup cannot be used; the database is then as it was.

    """
    dump, moment = checked_dump(backup, name)
    sys.stderr.write(f"restore: {name}, as it was at {moment}\n")
    fresh, before = f"{name}_restored", f"{name}_before"
    for database in (fresh, before):
        server.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    server.execute(f'CREATE DATABASE "{fresh}" OWNER "{name}"')
    options = ["--no-owner", f"--role={name}", "--exit-on-error", "--single-transaction"]
    command = [program("pg_restore"), *options, f"--dbname={server.url(fresh)}", str(dump)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    if done.returncode:
        message = f"pg_restore could not make {name}: {done.stderr[-300:]}"
        raise BackupError(message)
    found = {table: _compare(server, name, fresh, table) for table in tables(server, name)}
    for table, difference in found.items():
        _give_no_id_again(server, fresh, table, difference.newest_id)
    server.execute(f'ALTER DATABASE "{name}" RENAME TO "{before}"')
    server.execute(f'ALTER DATABASE "{fresh}" RENAME TO "{name}"')
    server.execute(f'DROP DATABASE "{before}"')
    return found


def _compare(server: Postgres, name: str, fresh: str, table: str) -> Difference:
    """Walk both tables along their ids, and look how far ids were given."""
    there, restored = _ids(server, name, table), _ids(server, fresh, table)
    lost = back = 0
    mine, old = next(there, None), next(restored, None)
    while mine is not None or old is not None:
        if old is None or (mine is not None and mine < old):
            lost, mine = lost + 1, next(there, None)
        elif mine is None or old < mine:
            back, old = back + 1, next(restored, None)
        else:
            mine, old = next(there, None), next(restored, None)
    return Difference(lost, back, _newest_id(server, name, table))


def _ids(server: Postgres, database: str, table: str) -> Iterator[int]:
    """Yield the ids of a table in their order, however many there are."""
    with closing(psycopg2.connect(server.url(database))) as connection:
        cursor = connection.cursor("ids")  # one that has a name is the server's
        cursor.itersize = BATCH
        cursor.execute(sql.SQL("SELECT id FROM {} ORDER BY id").format(sql.Identifier(table)))
        for row in cursor:
            yield int(row[0])


def _newest_id(server: Postgres, name: str, table: str) -> int:
    """Return the highest id that is known to have been given, by the owner or in the inventory."""
    known = [_number(server, name, f"SELECT last_value FROM {_sequence(server, name, table)}")]
    if table in OWNED:
        column = OWNED[table]
        known.append(_number(server, "inventory", f"SELECT max({column}) FROM inventory_items"))
        known.append(
            _number(
                server,
                "inventory",
                f"SELECT max(subject_id) FROM gone WHERE kind = '{column[:-3]}'",
            )
        )
    return max(known)


def _give_no_id_again(server: Postgres, database: str, table: str, newest: int) -> None:
    """Let the ids of a restored table go on after the newest one: the inventory may know it."""
    sequence = _sequence(server, database, table)
    statement = f"SELECT setval('{sequence}', greatest(last_value, {newest})) FROM {sequence}"
    server.execute(statement, database=database)


def _sequence(server: Postgres, database: str, table: str) -> str:
    found = server.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,), database)
    return str(found[0][0])


def _number(server: Postgres, database: str, statement: str) -> int:
    found = server.execute(statement, database=database)[0][0]
    return int(str(found or 0))


def _reconcile(folder: DataFolder, at_most: int) -> tuple[int, dict[str, Any]]:
    """Start the system where no user finds it, and compare the inventory with the owners."""
    sys.stderr.write("restore: comparing the inventory with the owners of its ids\n")
    with only_user(folder):
        stack = Stack(
            folder,
            free_ports(1)[0],
            "strict",
            say=_nothing,
            pause=time.sleep,
            launch=prefork.Forked,
        )
        try:
            stack.start()
            done = stack.run(
                "inventory", "inventory.reconcile", "--grace", "0", "--at-most", str(at_most)
            )
        finally:
            stack.stop()
    if not done.stdout:
        message = f"the inventory could not be compared: {done.stderr[-300:]}"
        raise BackupError(message)
    return done.returncode, json.loads(done.stdout)


def _nothing(_: str) -> None:
    pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.restore",
        description=__doc__,
        epilog="Exit codes: 0 the inventory fits its owners, 1 it does not, or nothing was done.",
    )
    parser.add_argument("backup", type=Path, help="a folder that python -m devstack.backup made")
    add_data(parser)
    parser.add_argument(
        "--services",
        type=_services,
        default=SERVICES,
        metavar="NAMES",
        help="which databases, with commas between them (all four)",
    )
    parser.add_argument(
        "--at-most",
        type=int,
        default=1000,
        metavar="IDS",
        help="leave the inventory as it is when more clients, or products, are missing (1000)",
    )
    return parser


def _services(text: str) -> tuple[str, ...]:
    names = tuple(text.replace(",", " ").split()) or SERVICES
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        message = f"there is no service {unknown[0]}: choose of {', '.join(SERVICES)}"
        raise argparse.ArgumentTypeError(message)
    return names


if __name__ == "__main__":
    sys.exit(main())
