"""Table of products. The realm is part of every key and every query."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    text,
)

from servicekit.db.database import METADATA
from servicekit.http.idempotency import IDEMPOTENCY_KEYS
from servicekit.outbox.messages import OUTBOX

NAME_TAKEN = {"field": "name", "msg": "Another product has this name"}

# equal for names that differ in case or Unicode composition only
FOLDED_NAME = "casefold(normalize(name) COLLATE pg_unicode_fast)"

__all__ = ["IDEMPOTENCY_KEYS", "METADATA", "OUTBOX", "PRODUCTS"]


# Products. ``version`` increases with each update, and is the entity tag.
PRODUCTS = Table(
    "products",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("realm", String(10), nullable=False),
    Column("name", String(200), nullable=False),
    Column("description", String(2000), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price", Numeric(12, 2), nullable=False),
    Column("status", Boolean, nullable=False),
    Column("version", BigInteger, server_default="1", nullable=False),
    Column("expires_at", DateTime(timezone=True), index=True),
    UniqueConstraint(
        "realm",
        "name",
        name="uq_products_name",
        info=NAME_TAKEN,
    ),
    Index("ix_products_realm_id", "realm", "id"),
    Index("uq_products_name_folded", "realm", text(FOLDED_NAME), unique=True, info=NAME_TAKEN),
)
