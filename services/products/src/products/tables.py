"""The table of products. The realm is part of every key and of every query."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from servicekit.database import Base
from servicekit.idempotency import IdempotencyKey
from servicekit.outbox import OutboxMessage

METADATA = Base.metadata
NAME_TAKEN = {"field": "name", "msg": "Another product has this name"}

# what two spellings of one name have in common: neither case nor composition counts
FOLDED = "casefold(normalize(name) COLLATE pg_unicode_fast)"

__all__ = ["METADATA", "IdempotencyKey", "OutboxMessage", "ProductRow"]


class ProductRow(Base):
    """A product. ``version`` grows with each update and is the entity tag."""

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint(
            "realm",
            "name",
            name="uq_products_name",
            info=NAME_TAKEN,
        ),
        Index("ix_products_realm_id", "realm", "id"),
        Index("uq_products_name_folded", "realm", text(FOLDED), unique=True, info=NAME_TAKEN),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    realm: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000))
    quantity: Mapped[int] = mapped_column(Integer)
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    status: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)
