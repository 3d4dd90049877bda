"""Entries, tombstones and idempotency keys."""

import sqlalchemy as sa
from alembic import op

from servicekit.db.migrations.tables import create_idempotency_keys_1

revision = "inventory_0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    _create_items()
    _create_gone()
    create_idempotency_keys_1()


def _create_items() -> None:
    op.create_table(
        "inventory_items",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("realm", sa.String(10), nullable=False),
        sa.Column("client_id", sa.BigInteger, nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("product_name", sa.String(200), nullable=False),
        sa.Column("number_of_items", sa.Integer, nullable=False),
        sa.Column("purchase_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger, server_default="1", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_inventory_items"),
    )
    op.create_index("ix_inventory_items_client_id", "inventory_items", ["client_id", "id"])
    op.create_index("ix_inventory_items_product_id", "inventory_items", ["product_id", "id"])
    op.create_index("ix_inventory_items_expires_at", "inventory_items", ["expires_at"])


def _create_gone() -> None:
    now = sa.func.now()
    op.create_table(
        "gone",
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", name="pk_gone"),
    )
    op.create_index("ix_gone_since", "gone", ["since"])
