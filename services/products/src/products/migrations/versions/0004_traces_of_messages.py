"""Trace context of messages; the previous release leaves it empty."""

from servicekit.db.migrations.tables import add_traceparent_to_outbox

revision = "products_0004"
down_revision = "products_0003"


def upgrade() -> None:
    """Add the column."""
    add_traceparent_to_outbox()
