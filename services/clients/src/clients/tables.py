"""Tables of clients and addresses. The realm is part of every key and every query."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    UniqueConstraint,
)

from servicekit.db.database import METADATA
from servicekit.db.folding import folded
from servicekit.http.idempotency import IDEMPOTENCY_KEYS
from servicekit.outbox.messages import OUTBOX

__all__ = ["ADDRESSES", "CLIENTS", "IDEMPOTENCY_KEYS", "METADATA", "OUTBOX"]


# Clients. ``version`` increases with each update, and is the entity tag.
CLIENTS = Table(
    "clients",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("realm", String(10), nullable=False),
    Column("name", String(200), nullable=False),
    Column("email", String(254), nullable=False),
    Column("email_key", String(600), nullable=False),  # case folding may lengthen a text
    Column("cpf", String(14), nullable=False),
    Column("balance", Numeric(12, 2), nullable=False),
    Column("version", BigInteger, server_default="1", nullable=False),
    Column("expires_at", DateTime(timezone=True), index=True),
    UniqueConstraint(
        "realm",
        "email_key",
        name="uq_clients_email",
        info={"field": "email", "msg": "Another client has this e-mail"},
    ),
    UniqueConstraint(
        "realm",
        "cpf",
        name="uq_clients_cpf",
        info={"field": "cpf", "msg": "Another client has this CPF"},
    ),
    UniqueConstraint("id", "realm", name="uq_clients_id_realm"),
    Index("uq_clients_realm_id", "realm", "id", unique=True),
)
Index("ix_clients_name_folded", CLIENTS.c.realm, folded(CLIENTS.c.name), CLIENTS.c.id)


# Addresses of clients, in the realm of the client.
ADDRESSES = Table(
    "addresses",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("client_id", BigInteger, index=True, nullable=False),
    Column("realm", String(10), nullable=False),
    Column("state", String(2), nullable=False),
    Column("city", String(200), nullable=False),
    Column("street", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("cep", String(9), nullable=False),
    Column("version", BigInteger, server_default="1", nullable=False),
    ForeignKeyConstraint(
        ["client_id", "realm"],
        ["clients.id", "clients.realm"],
        name="fk_addresses_client",
        ondelete="CASCADE",
        info={"field": "client_id", "msg": "There is no such client", "missing": True},
    ),
    Index("ix_addresses_realm_id", "realm", "id"),
)
Index("ix_addresses_city_folded", ADDRESSES.c.realm, folded(ADDRESSES.c.city), ADDRESSES.c.id)
