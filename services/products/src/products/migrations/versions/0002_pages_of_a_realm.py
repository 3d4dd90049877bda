"""Index for the pages of one realm."""

from servicekit.db.migrations.timeouts import create_index_concurrently

revision = "products_0002"
down_revision = "products_0001"


def upgrade() -> None:
    """Create the index."""
    create_index_concurrently("ix_products_realm_id", "products", ["realm", "id"])
