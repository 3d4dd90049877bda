"""Products, the outbox and the idempotency keys."""

import sqlalchemy as sa
from alembic import op

from servicekit.db.migrations.tables import create_idempotency_keys_1, create_outbox_1

revision = "products_0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    _create_products()
    create_outbox_1()
    create_idempotency_keys_1()


def _create_products() -> None:
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("realm", sa.String(10), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("price", sa.Numeric(12, 2), nullable=False),
        sa.Column("status", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, server_default="1", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("realm", "name", name="uq_products_name"),
    )
    op.create_index("ix_products_expires_at", "products", ["expires_at"])
