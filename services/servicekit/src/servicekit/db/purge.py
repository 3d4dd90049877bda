"""Command that deletes expired rows once and exits."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from servicekit.db import failures
from servicekit.db.availability import add_wait_option, wait_until_available
from servicekit.db.database import Database
from servicekit.settings import database_url, settings_or_exit

BATCH_SIZE = 200  # rows in a transaction

Purger = Callable[[Connection, int], int]  # deletes at most so many rows, returns the number


def main(name: str, purgers: Mapping[str, Purger]) -> None:
    """Run every purger of the service ``name`` and print the counts of deleted rows."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {name}.purge",
        description=f"Delete expired rows from the database of {name}: {', '.join(purgers)}."
        " Prints the counts as one line of JSON. DATABASE_URL names the database.",
        epilog="Exit codes: 0 done, 70 the database rejected a statement, 75 it is unavailable,"
        " 78 a setting is invalid.",
    )
    add_wait_option(parser)
    options = parser.parse_args()
    database = Database(settings_or_exit(database_url), connections=1, application=f"{name}-sweep")
    try:
        wait_until_available(database, options.wait)
        counts = {label: _purge_all(database, purge) for label, purge in purgers.items()}
    except DBAPIError as error:
        code, reason = failures.describe(error)
        sys.stderr.write(f"cannot purge {name}: {reason}\n")
        raise SystemExit(code) from None
    finally:
        database.close()
    print(json.dumps({"service": name, "deleted": counts}))


def _purge_all(database: Database, purge: Purger) -> int:
    total = 0
    while True:
        with database.transaction() as connection:
            count = purge(connection, BATCH_SIZE)
        total += count
        if count < BATCH_SIZE:
            return total
