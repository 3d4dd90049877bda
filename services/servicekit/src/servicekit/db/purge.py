"""The process that deletes what has been kept long enough: once, then it ends."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from servicekit.db.database import Database
from servicekit.settings import database_url, settings_or_exit

BATCH = 200  # rows a transaction
EX_TEMPFAIL = 75  # sysexits.h: it may be tried again

Sweep = Callable[[Connection, int], int]  # deletes at most so many, and tells how many it was


def main(name: str, sweeps: Mapping[str, Sweep]) -> None:
    """Run every sweep of the service ``name`` to its end, and print what was deleted."""
    argparse.ArgumentParser(
        prog=f"python -m {name}.purge",
        description=f"Deletes from the database of {name} what has expired: {', '.join(sweeps)}."
        " Prints the counts as one line of JSON. DATABASE_URL names the database.",
        epilog="Exit codes: 0 done, 75 the database does not answer, 78 a setting is wrong.",
    ).parse_args()
    database = Database(settings_or_exit(database_url), connections=1, application=f"{name}-sweep")
    try:
        counts = {what: _drain(database, sweep) for what, sweep in sweeps.items()}
    except DBAPIError as error:
        sys.stderr.write(f"cannot purge {name}: {type(error.orig).__name__}; try again later\n")
        raise SystemExit(EX_TEMPFAIL) from None
    finally:
        database.close()
    print(json.dumps({"service": name, "deleted": counts}))


def _drain(database: Database, sweep: Sweep) -> int:
    total = 0
    while True:
        with database.transaction() as connection:
            count = sweep(connection, BATCH)
        total += count
        if count < BATCH:
            return total
