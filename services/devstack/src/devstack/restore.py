"""`python -m devstack.restore`: restores all four databases of a backup, or some of them.

The system must be stopped. Each dump is restored to a new database, which then replaces the old
one. The differences are printed, and sequences continue after the highest known id, so that no id
is reused. Finally the inventory is reconciled with clients and products.
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
    FAILURE,
    BackupError,
    add_data_option,
    locked,
    running_server,
    verify_dump,
)
from devstack.data_folder import DataFolder, DataFolderError
from devstack.postgres import Postgres, PostgresError
from devstack.postgres_programs import program
from devstack.service_catalog import SERVICES, tables
from devstack.stack import Stack, StackError, free_ports
from devstack.supervisor import ProcessExitedError

FETCH_SIZE = 10_000  # ids
INVENTORY_COLUMNS = {"clients": "client_id", "products": "product_id"}
EXPECTED_ERRORS = (
    BackupError,
    DataFolderError,
    PostgresError,
    ProcessExitedError,
    StackError,
)


@dataclass(frozen=True)
class Difference:
    """The differences between a restored table and the table that it replaces."""

    lost: int  # rows inserted since the backup
    back: int  # rows deleted since the backup
    newest_id: int  # the highest id known to have been used


def main() -> int:
    """Restore, print the differences as a line of JSON, and return the exit code."""
    options = _parser().parse_args()
    prefork.preload()
    folder = DataFolder(options.data)
    try:
        with locked(folder):
            pass  # fail early if the system runs
        with running_server(folder) as server:
            differences = {n: restore(server, options.backup, n) for n in options.services}
        code, report = _reconcile(folder, options.at_most)
    except EXPECTED_ERRORS as error:
        sys.stderr.write(f"restore: {error}\n")
        return FAILURE
    restored = {n: {t: asdict(d) for t, d in each.items()} for n, each in differences.items()}
    print(json.dumps({"restored": restored, "inventory": report}))
    return code


def restore(server: Postgres, backup: Path, name: str) -> dict[str, Difference]:
    """Replace a database by its backup, and return the differences by table.

    Raises:
        BackupError: the backup cannot be used; the database is unchanged.

    """
    dump, dumped_at = verify_dump(backup, name)
    sys.stderr.write(f"restore: {name}, as of {dumped_at}\n")
    restored, replaced = f"{name}_restored", f"{name}_before"
    for database in (restored, replaced):
        server.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    server.execute(f'CREATE DATABASE "{restored}" OWNER "{name}"')
    options = ["--no-owner", f"--role={name}", "--exit-on-error", "--single-transaction"]
    command = [program("pg_restore"), *options, f"--dbname={server.url(restored)}", str(dump)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    if done.returncode:
        raise BackupError(f"pg_restore could not restore {name}: {done.stderr[-300:]}")
    differences = {t: _compare(server, name, restored, t) for t in tables(server, name)}
    for table, difference in differences.items():
        _advance_sequence(server, restored, table, difference.newest_id)
    server.execute(f'ALTER DATABASE "{name}" RENAME TO "{replaced}"')
    server.execute(f'ALTER DATABASE "{restored}" RENAME TO "{name}"')
    server.execute(f'DROP DATABASE "{replaced}"')
    return differences


def _compare(server: Postgres, name: str, restored: str, table: str) -> Difference:
    """Compare the ids of a table in both databases, in one pass."""
    old_ids, new_ids = _ids(server, name, table), _ids(server, restored, table)
    lost = back = 0
    old, new = next(old_ids, None), next(new_ids, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old < new):
            lost, old = lost + 1, next(old_ids, None)
        elif old is None or new < old:
            back, new = back + 1, next(new_ids, None)
        else:
            old, new = next(old_ids, None), next(new_ids, None)
    return Difference(lost, back, _newest_id(server, name, table))


def _ids(server: Postgres, database: str, table: str) -> Iterator[int]:
    """Yield the ids of a table in order, in constant memory."""
    with closing(psycopg2.connect(server.url(database))) as connection:
        cursor = connection.cursor("ids")  # a name makes it a server-side cursor
        cursor.itersize = FETCH_SIZE
        cursor.execute(sql.SQL("SELECT id FROM {} ORDER BY id").format(sql.Identifier(table)))
        for row in cursor:
            yield int(row[0])


def _newest_id(server: Postgres, name: str, table: str) -> int:
    """Return the highest id known to the owner of the table or to the inventory."""
    known = [_integer(server, name, f"SELECT last_value FROM {_sequence(server, name, table)}")]
    if table in INVENTORY_COLUMNS:
        column = INVENTORY_COLUMNS[table]
        known.append(_integer(server, "inventory", f"SELECT max({column}) FROM inventory_items"))
        known.append(
            _integer(
                server,
                "inventory",
                f"SELECT max(subject_id) FROM gone WHERE kind = '{column[:-3]}'",
            )
        )
    return max(known)


def _advance_sequence(server: Postgres, database: str, table: str, newest: int) -> None:
    """Advance the sequence past ``newest``, so that no id is reused."""
    sequence = _sequence(server, database, table)
    statement = f"SELECT setval('{sequence}', greatest(last_value, {newest})) FROM {sequence}"
    server.execute(statement, database=database)


def _sequence(server: Postgres, database: str, table: str) -> str:
    found = server.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,), database)
    return str(found[0][0])


def _integer(server: Postgres, database: str, statement: str) -> int:
    found = server.execute(statement, database=database)[0][0]
    return int(str(found or 0))


def _reconcile(folder: DataFolder, at_most: int) -> tuple[int, dict[str, Any]]:
    """Run the system on an unused port, and reconcile the inventory with clients and products."""
    sys.stderr.write("restore: reconciling the inventory with clients and products\n")
    with locked(folder):
        stack = Stack(
            folder,
            free_ports(1)[0],
            "strict",
            report=_discard,
            sleep=time.sleep,
            launch=prefork.ForkedProcess,
        )
        try:
            stack.start()
            done = stack.run(
                "inventory", "inventory.reconcile", "--grace", "0", "--at-most", str(at_most)
            )
        finally:
            stack.stop()
    if not done.stdout:
        raise BackupError(f"the inventory could not be reconciled: {done.stderr[-300:]}")
    return done.returncode, json.loads(done.stdout)


def _discard(_: str) -> None:
    pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devstack.restore",
        description=__doc__,
        epilog="Exit codes: 0 success, 1 failure, or orphans in the inventory.",
    )
    parser.add_argument("backup", type=Path, help="folder created by python -m devstack.backup")
    add_data_option(parser)
    parser.add_argument(
        "--services",
        type=_services,
        default=SERVICES,
        metavar="NAMES",
        help="comma-separated databases (all four)",
    )
    parser.add_argument(
        "--at-most",
        type=int,
        default=1000,
        metavar="IDS",
        help="keep orphans if more than IDS clients, or products, are missing (1000)",
    )
    return parser


def _services(text: str) -> tuple[str, ...]:
    names = tuple(text.replace(",", " ").split()) or SERVICES
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"there is no service {unknown[0]}: choose from {', '.join(SERVICES)}"
        )
    return names


if __name__ == "__main__":
    sys.exit(main())
