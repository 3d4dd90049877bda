"""The tables of the inventory. The realm is part of every query."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from servicekit.database import Base
from servicekit.idempotency import IdempotencyKey

METADATA = Base.metadata

__all__ = ["METADATA", "GoneRow", "IdempotencyKey", "ItemRow", "ReconciliationRow"]


class ItemRow(Base):
    """An entry: a client bought a product, which had this name then."""

    __tablename__ = "inventory_items"
    __table_args__ = (
        Index("ix_inventory_items_client_id", "client_id", "id"),
        Index("ix_inventory_items_product_id", "product_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    realm: Mapped[str] = mapped_column(String(10))
    client_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[int] = mapped_column(BigInteger)
    product_name: Mapped[str] = mapped_column(String(200))
    number_of_items: Mapped[int] = mapped_column(Integer)
    purchase_date: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)


class GoneRow(Base):
    """A client or a product that its owner has deleted: nothing is added for it any more."""

    __tablename__ = "gone"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    subject_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), index=True
    )


class ReconciliationRow(Base):
    """What the last whole comparison with the owners found: one row, for who watches."""

    __tablename__ = "reconciliation"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ended_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    orphan_rows: Mapped[int] = mapped_column(BigInteger)
    removed_rows: Mapped[int] = mapped_column(BigInteger)
