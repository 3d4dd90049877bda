"""Clients, their addresses, the outbox and the idempotency keys."""

import sqlalchemy as sa
from alembic import op

from servicekit.db.migrations.tables import create_idempotency_keys_1, create_outbox_1

revision = "clients_0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    _create_clients()
    _create_addresses()
    create_outbox_1()
    create_idempotency_keys_1()


def _create_clients() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("realm", sa.String(10), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(600), nullable=False),
        sa.Column("cpf", sa.String(14), nullable=False),
        sa.Column("balance", sa.Numeric(12, 2), nullable=False),
        sa.Column("version", sa.BigInteger, server_default="1", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
        sa.UniqueConstraint("realm", "email_key", name="uq_clients_email"),
        sa.UniqueConstraint("realm", "cpf", name="uq_clients_cpf"),
        sa.UniqueConstraint("id", "realm", name="uq_clients_id_realm"),
    )
    op.create_index("ix_clients_expires_at", "clients", ["expires_at"])


def _create_addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger, nullable=False),
        sa.Column("realm", sa.String(10), nullable=False),
        sa.Column("state", sa.String(2), nullable=False),
        sa.Column("city", sa.String(200), nullable=False),
        sa.Column("street", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("cep", sa.String(9), nullable=False),
        sa.Column("version", sa.BigInteger, server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
        sa.ForeignKeyConstraint(
            ["client_id", "realm"],
            ["clients.id", "clients.realm"],
            name="fk_addresses_client",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_addresses_client_id", "addresses", ["client_id"])
