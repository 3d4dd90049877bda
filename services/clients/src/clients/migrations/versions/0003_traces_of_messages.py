"""Trace context of messages; the previous release leaves it empty."""

from servicekit.db.migrations.tables import add_traceparent_to_outbox

revision = "clients_0003"
down_revision = "clients_0002"


def upgrade() -> None:
    """Add the column."""
    add_traceparent_to_outbox()
