"""Tables of the inventory. Every query filters by realm."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    func,
)

from servicekit.db.database import METADATA
from servicekit.http.idempotency import IDEMPOTENCY_KEYS

__all__ = ["IDEMPOTENCY_KEYS", "ITEMS", "METADATA", "RECONCILIATION", "TOMBSTONES"]


# Purchases of products by clients, with the product name at that time.
ITEMS = Table(
    "inventory_items",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("realm", String(10), nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("product_id", BigInteger, nullable=False),
    Column("product_name", String(200), nullable=False),
    Column("number_of_items", Integer, nullable=False),
    Column("purchase_date", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger, server_default="1", nullable=False),
    Column("expires_at", DateTime(timezone=True), index=True),
    Index("ix_inventory_items_client_id", "client_id", "id"),
    Index("ix_inventory_items_product_id", "product_id", "id"),
)


# Deleted clients and products, for which no entry may be added.
TOMBSTONES = Table(
    "gone",
    METADATA,
    Column("kind", String(10), primary_key=True),
    Column("subject_id", BigInteger, primary_key=True, autoincrement=False),
    Column("since", DateTime(timezone=True), server_default=func.now(), index=True, nullable=False),
)


# The report of the last completed reconciliation, in one row.
RECONCILIATION = Table(
    "reconciliation",
    METADATA,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("ended_at", DateTime(timezone=True), nullable=False),
    Column("orphan_rows", BigInteger, nullable=False),
    Column("removed_rows", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
