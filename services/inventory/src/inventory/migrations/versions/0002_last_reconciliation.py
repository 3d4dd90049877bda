"""Report of the last completed reconciliation."""

import sqlalchemy as sa
from alembic import op

revision = "inventory_0002"
down_revision = "inventory_0001"


def upgrade() -> None:
    """Create the table of one row."""
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("orphan_rows", sa.BigInteger, nullable=False),
        sa.Column("removed_rows", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation"),
        sa.CheckConstraint("id = 1", name="ck_reconciliation_one_row"),
    )
