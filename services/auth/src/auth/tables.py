"""The tables of auth."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from auth.domain import LONGEST_KEY
from servicekit.database import Base
from servicekit.idempotency import IdempotencyKey

METADATA = Base.metadata

__all__ = ["METADATA", "IdempotencyKey", "LoginFailures", "UserRow"]


class UserRow(Base):
    """A user. The name is unique over both realms: who logs in names no realm."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint(
            "name_key",
            name="uq_users_name",
            info={"field": "username", "msg": "Another user has this name"},
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    realm: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(LONGEST_KEY))
    password: Mapped[str] = mapped_column(String(200))
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)


class LoginFailures(Base):
    """Failures to log in to one account, or from one address, of which ``key`` is a hash."""

    __tablename__ = "login_failures"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), index=True
    )
