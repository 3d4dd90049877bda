"""Access to the messages of an outbox."""

from sqlalchemy import text

from servicekit.db.database import Database
from servicekit.outbox.messages import LEASE, enqueue


def add_messages(outbox: Database, *ids: int) -> None:
    """Add a message for each deleted client."""
    with outbox.transaction() as connection:
        for subject_id in ids:
            enqueue(connection, "client", subject_id)


def pending_ids(outbox: Database) -> list[int]:
    """Return the ids of the clients whose messages are not yet delivered."""
    with outbox.autocommit() as connection:
        return list(connection.scalars(text("SELECT subject_id FROM outbox ORDER BY id")))


def expire_leases(outbox: Database) -> None:
    """Make all messages older by the duration of a lease."""
    with outbox.autocommit() as connection:
        earlier = text("UPDATE outbox SET due_at = due_at - make_interval(secs => :lease)")
        connection.execute(earlier, {"lease": LEASE})
