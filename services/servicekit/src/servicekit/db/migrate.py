"""Command that upgrades a service's database to the newest revision of its Alembic history."""

import argparse
import signal
import sys
import time
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.pool import NullPool

from servicekit.db.database import driver_url
from servicekit.db.failures import first_line
from servicekit.db.wait_for_migrations import NOT_MIGRATED, TERMINATED
from servicekit.settings import database_url, settings_or_exit

MAX_ATTEMPTS = 30  # a second apart: a table is busy, or the database is still starting
ADVISORY_LOCK = 0x636164617374726F  # "cadastro": serializes the migrations of a database


def main(package: str, arguments: list[str] | None = None) -> None:
    """Migrate the database of the service ``package``."""
    options = _parser(package).parse_args(arguments)
    # without a handler, PID 1 of a container ignores SIGTERM
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    config = configuration(package)
    if options.sql:
        command.upgrade(config, "head", sql=True)
        return
    url = settings_or_exit(database_url)
    _upgrade_with_retries(url, config, package)


def configuration(package: str) -> Config:
    """Return Alembic's configuration: a service's own revisions, the shared environment."""
    config = Config()
    folders = {
        "script_location": files("servicekit.db") / "migrations",
        "version_locations": files(package) / "migrations" / "versions",
    }
    for name, folder in folders.items():
        config.set_main_option(name, str(folder).replace("%", "%%"))  # against interpolation
    config.set_main_option("path_separator", "newline")
    return config


def upgrade(url: str, config: Config, revision: str = "head") -> None:
    """Run the missing migrations, each in a transaction, under a lock on the database.

    A database at a newer release's revision stays unchanged. Migrations only expand, so an older
    release still works on it, for example after a rollback.
    """
    engine = create_engine(driver_url(url), poolclass=NullPool, hide_parameters=True)
    with engine.connect() as connection:
        _acquire_lock(connection)
        is_newer = _is_newer(connection, ScriptDirectory.from_config(config))
        connection.commit()  # Alembic begins its own transactions
        if not is_newer:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)


def refusals(url: str, config: Config) -> list[str]:
    """Return why missing migrations cannot run on the present rows; change nothing.

    A revision may have a ``CHECK``: a statement that fails with a reason, and that works on the
    schema of the first revision. An empty database has nothing to check.
    """
    engine = create_engine(driver_url(url), poolclass=NullPool, hide_parameters=True)
    script = ScriptDirectory.from_config(config)
    reasons = []
    with engine.connect() as connection:
        if not (current := _current(connection)) or _is_newer(connection, script):
            return []
        for revision in reversed(list(script.iterate_revisions("head", tuple(current)))):
            try:
                connection.execute(text(getattr(revision.module, "CHECK", "SELECT 1")))
            except InternalError as error:  # of RAISE EXCEPTION
                reasons.append(first_line(error))
            connection.rollback()
    return reasons


def _parser(package: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {package}.migrate",
        description=f"Migrate the database of {package}, which DATABASE_URL names.",
        epilog="Exit codes: 0 done, 1 not migrated, 78 a setting is missing or wrong.",
    )
    parser.add_argument(
        "--sql", action="store_true", help="print the SQL of the whole history and exit"
    )
    return parser


def _upgrade_with_retries(url: str, config: Config, package: str) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            if reasons := refusals(url, config):
                sys.stderr.writelines(f"cannot migrate {package}: {why}\n" for why in reasons)
                raise SystemExit(NOT_MIGRATED)
            upgrade(url, config)
        except DBAPIError as error:
            # only operational errors are worth a retry: a wrong statement stays wrong
            if attempt == MAX_ATTEMPTS or not isinstance(error, OperationalError):
                sys.stderr.write(f"cannot migrate {package}: {first_line(error)}\n")
                raise SystemExit(NOT_MIGRATED) from None
            time.sleep(1)
        else:
            print(f"{package}: the database is migrated")
            return


def _acquire_lock(connection: Connection) -> None:
    """Acquire the advisory lock of migrations, which closing the connection releases.

    No transaction stays open while it waits: it would block a concurrent index build.
    """
    statement, parameters = text("SELECT pg_try_advisory_lock(:lock)"), {"lock": ADVISORY_LOCK}
    is_reported = False
    while not connection.scalar(statement, parameters):
        connection.rollback()
        if not is_reported:
            sys.stderr.write("waiting for another migration of this database\n")
            is_reported = True
        time.sleep(0.1)
    connection.commit()


def _is_newer(connection: Connection, script: ScriptDirectory) -> bool:
    """Return whether the database is at a revision that this release does not have."""
    known = {revision.revision for revision in script.walk_revisions()}
    return bool(_current(connection) - known)


def _current(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())
