"""The tables of clients and addresses. The realm is part of every key and of every query."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from servicekit.database import Base
from servicekit.idempotency import IdempotencyKey
from servicekit.outbox import OutboxMessage

METADATA = Base.metadata

__all__ = ["METADATA", "AddressRow", "ClientRow", "IdempotencyKey", "OutboxMessage"]


class ClientRow(Base):
    """A client. ``version`` grows with each update and is the entity tag."""

    __tablename__ = "clients"
    __table_args__ = (
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

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    realm: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(600))  # folding may lengthen a text
    cpf: Mapped[str] = mapped_column(String(14))
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)


class AddressRow(Base):
    """An address of one client, in that client's realm."""

    __tablename__ = "addresses"
    __table_args__ = (
        ForeignKeyConstraint(
            ["client_id", "realm"],
            ["clients.id", "clients.realm"],
            name="fk_addresses_client",
            ondelete="CASCADE",
            info={"field": "client_id", "msg": "There is no such client", "missing": True},
        ),
        Index("ix_addresses_realm_id", "realm", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[int] = mapped_column(BigInteger, index=True)
    realm: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(2))
    city: Mapped[str] = mapped_column(String(200))
    street: Mapped[str] = mapped_column(String(200))
    number: Mapped[int] = mapped_column(Integer)
    cep: Mapped[str] = mapped_column(String(9))
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
