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
)

from servicekit.db.database import METADATA
from servicekit.db.folding import folded
from servicekit.http.idempotency import IDEMPOTENCY_KEYS
from servicekit.outbox.messages import OUTBOX

NAME_TAKEN = {"field": "name", "msg": "Another product has this name"}

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
)
Index(
    "uq_products_name_folded",
    PRODUCTS.c.realm,
    folded(PRODUCTS.c.name),
    unique=True,
    info=NAME_TAKEN,
)
