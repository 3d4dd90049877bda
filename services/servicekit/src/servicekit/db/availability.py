"""Wait at the start of a command for a database that does not accept connections yet."""

import argparse
import time

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from servicekit.db.database import Database

POLL_SECONDS = 0.5
MAX_SECONDS = 3600.0


def add_wait_option(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--wait`` with the seconds to wait."""
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="time for the database to become available (0)",
    )


def wait_until_available(database: Database, seconds: float) -> None:
    """Wait up to some seconds until the database accepts connections.

    The network policies of a cluster admit a new pod only after a moment. The command itself
    reports a database that stays unavailable.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with database.autocommit() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError:
            time.sleep(POLL_SECONDS)
        else:
            return


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_SECONDS:
        limit = f"{MAX_SECONDS:g}"
        raise argparse.ArgumentTypeError(f"must be a number of seconds up to {limit}, not {text!r}")
    return seconds
