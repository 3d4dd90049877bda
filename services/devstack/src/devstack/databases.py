"""The databases of the services: creation, and replacement by restored ones."""

import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql

from devstack.backup import BackupError
from devstack.postgres_programs import program
from devstack.server import Server
from devstack.service_catalog import SERVICES, tables

FETCH_SIZE = 10_000  # ids
INVENTORY = "inventory"
INVENTORY_COLUMNS = {"clients": "client_id", "products": "product_id"}
_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s
"""  # and wait up to 10 s
_SETTINGS = """
SELECT rolname, unnest(setconfig)
FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
LEFT JOIN pg_roles r ON r.oid = setrole
WHERE datname = %s
"""
NO_LIMIT = -1
NEW_FOLDER_GAP = 1_000_000  # ids that a lost system may have issued after its backup


@dataclass(frozen=True)
class Difference:
    """The differences between a restored table and the table that it replaces."""

    lost: int  # rows inserted since the backup
    back: int  # rows deleted since the backup
    newest_id: int  # the highest id that may have been used


def create_missing(server: Server) -> None:
    """Create the missing databases of the services, each with its role."""
    existing = {str(row[0]) for row in server.execute("SELECT datname FROM pg_database")}
    for name in SERVICES:
        if name not in existing:
            # the permissions of the folder protect the socket, so no password is needed
            server.execute(f'DROP ROLE IF EXISTS "{name}"')
            server.execute(f'CREATE ROLE "{name}" LOGIN')
            server.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')


def drop_leftovers(server: Server) -> list[str]:
    """Drop the databases that a killed restore has left, and return their names."""
    existing = {row[0] for row in server.execute("SELECT datname FROM pg_database")}
    left = [n for service in SERVICES for n in (_restored(service), _replaced(service))]
    left = [name for name in left if name in existing]
    for name in left:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    return left


def replace(
    server: Server,
    dumps: Mapping[str, Path],
    *,
    gap: int = 0,
    exclusive: AbstractContextManager[None] | None = None,
    before_swap: Callable[[], None] = lambda: None,
    mark: str = "",
) -> dict[str, dict[str, Difference]]:
    """Replace the databases of some services by dumps, and return the differences by table.

    All dumps are loaded beside the present databases, and then renamed in one transaction. ``gap``
    ids are skipped after the highest known one. When all dumps are loaded, ``exclusive`` is entered
    until the end: it has to end and prevent writes of services that run. ``before_swap`` is called
    last. The new databases have the comment ``mark``, which the function of that name returns.

    Raises:
        BackupError: a dump cannot be restored; all databases are unchanged.

    """
    drop_leftovers(server)
    try:
        for name, dump in dumps.items():
            _load(server, name, dump)
        with exclusive or nullcontext():
            differences = {
                name: {
                    table: _compare(server, name, table, dumps, gap)
                    for table in tables(server, _restored(name))
                }
                for name in dumps
            }
            for name, found in differences.items():
                for table, difference in found.items():
                    _advance_sequence(server, _restored(name), table, difference.newest_id)
            for name in dumps:
                _copy_settings(server, name)
            before_swap()
            _swap(server, dumps, mark)
    finally:
        drop_leftovers(server)
    return differences


@contextmanager
def closed_to_services(server: Server, names: Collection[str]) -> Iterator[None]:
    """End all sessions of some databases, and admit only superusers until the block ends.

    Afterwards their names have the limits of before, whichever databases have these names then. A
    limit of 0 is what a killed restore has left.
    """
    limits = {name: _connection_limit(server, name) or NO_LIMIT for name in names}
    try:
        for name in names:
            server.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        for name in names:
            server.execute(_END_SESSIONS, (name,))
        yield
    finally:
        for name, limit in limits.items():
            server.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT {limit}')


def mark(server: Server) -> str:
    """Return the mark of the last restore of the inventory; empty without one."""
    statement = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    rows = server.execute(statement, (INVENTORY,))
    return str(rows[0][0] or "") if rows else ""


def _restored(name: str) -> str:
    return f"{name}_restored"


def _replaced(name: str) -> str:
    return f"{name}_before"


def _load(server: Server, name: str, dump: Path) -> None:
    """Load a dump beside the database of a service, and migrate it to this release."""
    restored = _restored(name)
    server.execute(f'CREATE DATABASE "{restored}" OWNER "{name}"')
    options = ["--no-owner", f"--role={name}", "--exit-on-error", "--single-transaction"]
    command = [program("pg_restore"), *options, f"--dbname={server.url(restored)}", str(dump)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    if done.returncode:
        raise BackupError(f"pg_restore could not restore {name}: {done.stderr[-300:]}")
    if not _revision(server, restored).startswith(f"{name}_"):
        raise BackupError(f"{dump} is not a dump of {name}: name another backup")
    _migrate(server.url(restored, user=name), name, dump)


def _migrate(url: str, name: str, dump: Path) -> None:
    # a backup needs none of these, and they are half of its start
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from servicekit.db import migrate  # noqa: PLC0415

    config = migrate.configuration(name)
    try:
        if reasons := migrate.refusals(url, config):
            raise BackupError(f"{dump} cannot be migrated to this release: {'; '.join(reasons)}")
        migrate.upgrade(url, config)
    except DBAPIError as error:
        raise BackupError(f"{dump} cannot be migrated to this release: {error.orig}") from error


def _revision(server: Server, database: str) -> str:
    """Return the revision of a database, which starts with the name of its service."""
    if server.execute("SELECT to_regclass('alembic_version')", database=database) == [(None,)]:
        return ""
    rows = server.execute("SELECT version_num FROM alembic_version", database=database)
    return str(rows[0][0]) if rows else ""


def _compare(server: Server, name: str, table: str, names: Collection[str], gap: int) -> Difference:
    """Compare the ids of a table in both databases, in one pass."""
    is_new = table not in tables(server, name)
    old_ids: Iterator[int] = iter(()) if is_new else _ids(server, name, table)
    new_ids = _ids(server, _restored(name), table)
    lost = back = 0
    old, new = next(old_ids, None), next(new_ids, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old < new):
            lost, old = lost + 1, next(old_ids, None)
        elif old is None or new < old:
            back, new = back + 1, next(new_ids, None)
        else:
            old, new = next(old_ids, None), next(new_ids, None)
    databases = [_restored(name)] if is_new else [name, _restored(name)]
    used = [_last_id(server, database, table) for database in databases]
    inventories = [INVENTORY, *([_restored(INVENTORY)] if INVENTORY in names else [])]
    used += [_last_mention(server, each, table) for each in inventories]
    return Difference(lost, back, max(used) + gap)


def _ids(server: Server, database: str, table: str) -> Iterator[int]:
    """Yield the ids of a table in order, in constant memory."""
    with closing(psycopg2.connect(server.url(database))) as connection:
        cursor = connection.cursor("ids")  # a name makes it a server-side cursor
        cursor.itersize = FETCH_SIZE
        cursor.execute(sql.SQL("SELECT id FROM {} ORDER BY id").format(sql.Identifier(table)))
        for row in cursor:
            yield int(row[0])


def _last_id(server: Server, database: str, table: str) -> int:
    """Return the last id that a table has issued."""
    sequence = _sequence(server, database, table)
    return _integer(server, database, f"SELECT last_value FROM {sequence}")


def _last_mention(server: Server, inventory: str, table: str) -> int:
    """Return the highest id of an owner that an inventory contains; 0 for other tables."""
    column = INVENTORY_COLUMNS.get(table)
    if column is None or not tables(server, inventory):
        return 0
    kind = column.removesuffix("_id")
    statements = (
        f"SELECT max({column}) FROM inventory_items",
        f"SELECT max(subject_id) FROM gone WHERE kind = '{kind}'",
    )
    return max(_integer(server, inventory, statement) for statement in statements)


def _advance_sequence(server: Server, database: str, table: str, newest: int) -> None:
    """Advance the sequence past ``newest``, so that no id is reused."""
    sequence = _sequence(server, database, table)
    statement = f"SELECT setval('{sequence}', greatest(last_value, {newest})) FROM {sequence}"
    server.execute(statement, database=database)


def _connection_limit(server: Server, database: str) -> int:
    statement = "SELECT datconnlimit FROM pg_database WHERE datname = %s"
    return int(str(server.execute(statement, (database,))[0][0]))


def _copy_settings(server: Server, name: str) -> None:
    """Give a restored database the settings of the one that it replaces; no dump has them.

    PostgreSQL reads a list such as a search path in `set_config` alone as one.
    """
    found = server.execute(_SETTINGS, (name,))
    with closing(psycopg2.connect(server.url("postgres"))) as connection:
        cursor = connection.cursor()
        for role, setting in found:
            parameter, _, value = str(setting).partition("=")
            cursor.execute("SELECT set_config(%s, %s, true)", (parameter, value))
            database = sql.Identifier(_restored(name))
            target = sql.SQL("DATABASE {}").format(database)
            if role is not None:
                target = sql.SQL("ROLE {} IN DATABASE {}").format(
                    sql.Identifier(str(role)), database
                )
            names = map(sql.Identifier, parameter.split("."))
            cursor.execute(
                sql.SQL("ALTER {} SET {} FROM CURRENT").format(target, sql.SQL(".").join(names))
            )
            connection.commit()


def _swap(server: Server, names: Collection[str], mark: str) -> None:
    """Rename all databases and set their comments in one transaction."""
    with closing(psycopg2.connect(server.url("postgres"))) as connection:
        cursor = connection.cursor()
        for name in names:
            cursor.execute(f'ALTER DATABASE "{name}" RENAME TO "{_replaced(name)}"')
            cursor.execute(f'ALTER DATABASE "{_restored(name)}" RENAME TO "{name}"')
            cursor.execute(f'COMMENT ON DATABASE "{name}" IS %s', (mark or None,))
        connection.commit()


def _sequence(server: Server, database: str, table: str) -> str:
    found = server.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,), database)
    return str(found[0][0])


def _integer(server: Server, database: str, statement: str) -> int:
    found = server.execute(statement, database=database)[0][0]
    return int(str(found or 0))
