"""What waits in an outbox: put there, looked at, and made older."""

from sqlalchemy import text

from servicekit.db.database import Database
from servicekit.outbox.messages import LEASE, put


def fill(outbox: Database, *ids: int) -> None:
    """Put messages in."""
    with outbox.transaction() as connection:
        for subject_id in ids:
            put(connection, "client", subject_id)


def left(outbox: Database) -> list[int]:
    """Return what is still there."""
    with outbox.statement() as connection:
        return list(connection.scalars(text("SELECT subject_id FROM outbox ORDER BY id")))


def let_leases_run_out(outbox: Database) -> None:
    """Move time on."""
    with outbox.statement() as connection:
        earlier = text("UPDATE outbox SET due_at = due_at - make_interval(secs => :lease)")
        connection.execute(earlier, {"lease": LEASE})
