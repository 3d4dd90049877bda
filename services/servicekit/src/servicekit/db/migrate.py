"""Brings a service's database to the newest revision of its own Alembic history."""

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
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from servicekit.db.database import driver_url
from servicekit.db.wait_for_migrations import NOT_MIGRATED, TERMINATED
from servicekit.settings import database_url, settings_or_exit

TRIES = 30  # a second apart: a table that is busy, or a database that is still starting
LOCK = 0x636164617374726F  # "cadastro": one migration at a time in a database


def main(package: str, arguments: list[str] | None = None) -> None:
    """Migrate the database of the service ``package``."""
    options = _parser(package).parse_args(arguments)
    # the first process of a container does not end on SIGTERM by itself
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    config = configuration(package)
    if options.sql:
        command.upgrade(config, "head", sql=True)
        return
    url = settings_or_exit(database_url)
    _try_to_upgrade(url, config, package)


def configuration(package: str) -> Config:
    """Return Alembic's configuration for a service: its own revisions in the shared environment."""
    config = Config()
    config.set_main_option("script_location", str(files("servicekit.db") / "migrations"))
    config.set_main_option("version_locations", str(files(package) / "migrations" / "versions"))
    config.set_main_option("path_separator", "newline")
    return config


def upgrade(url: str, config: Config, revision: str = "head") -> None:
    """Run the migrations that are missing, a transaction each, and nobody else's meanwhile.

    A database that a newer release has migrated is left as it is: its changes only expand, so
    that this release works on it, after a roll-back for instance.
    """
    engine = create_engine(driver_url(url), poolclass=NullPool, hide_parameters=True)
    with engine.connect() as connection:
        _wait_for_the_others(connection)
        is_newer = _is_newer(connection, ScriptDirectory.from_config(config))
        connection.commit()  # Alembic begins the transactions
        if not is_newer:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)


def _parser(package: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {package}.migrate",
        description=f"Migrates the database of {package}, which DATABASE_URL names.",
        epilog="Exit codes: 0 done, 1 not migrated, 78 a setting is missing or wrong.",
    )
    parser.add_argument(
        "--sql", action="store_true", help="only print the SQL of the whole history"
    )
    return parser


def _try_to_upgrade(url: str, config: Config, package: str) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            upgrade(url, config)
        except DBAPIError as error:
            # what is wrong with a statement stays wrong; a database may be there in a second
            if attempt == TRIES or not isinstance(error, OperationalError):
                sys.stderr.write(f"cannot migrate {package}: {_first_line(error)}\n")
                raise SystemExit(NOT_MIGRATED) from None
            time.sleep(1)
        else:
            print(f"{package}: the database is migrated")
            return


def _wait_for_the_others(connection: Connection) -> None:
    """Take the lock of migrations, which the end of the connection gives back.

    No transaction stays open meanwhile: an index that another one builds would wait for its end.
    """
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
        connection.rollback()
        time.sleep(0.1)
    connection.commit()


def _is_newer(connection: Connection, script: ScriptDirectory) -> bool:
    """Tell whether the database is at a revision that this release does not know."""
    known = {revision.revision for revision in script.walk_revisions()}
    return bool(_current(connection) - known)


def _current(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
