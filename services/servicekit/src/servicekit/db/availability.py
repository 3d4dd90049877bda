"""Wait at the start of a command for a database that does not accept connections yet."""

import time

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from servicekit.db.database import Database

POLL_SECONDS = 0.5


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
