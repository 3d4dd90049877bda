"""Users, failures to log in, and the idempotency keys."""

import sqlalchemy as sa
from alembic import op

from servicekit.db.migrations.tables import create_idempotency_keys_1

revision = "auth_0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("realm", sa.String(10), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("name_key", sa.String(400), nullable=False),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("version", sa.BigInteger, server_default="1", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name_key", name="uq_users_name"),
    )
    op.create_index("ix_users_expires_at", "users", ["expires_at"])
    now = sa.func.now()
    op.create_table(
        "login_failures",
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_login_failures"),
    )
    op.create_index("ix_login_failures_last", "login_failures", ["last"])
    create_idempotency_keys_1()
