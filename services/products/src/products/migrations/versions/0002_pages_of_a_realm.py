"""Pages of one realm without a walk through the other."""

from servicekit.db.migrations.timeouts import create_index_concurrently

revision = "products_0002"
down_revision = "products_0001"


def upgrade() -> None:
    """Create the index."""
    create_index_concurrently("ix_products_realm_id", "products", ["realm", "id"])
