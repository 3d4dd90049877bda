"""Tables of auth."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    func,
)

from auth.domain import MAX_KEY_LENGTH
from servicekit.db.database import METADATA
from servicekit.http.idempotency import IDEMPOTENCY_KEYS

NAME_TAKEN = {"field": "username", "msg": "Another user has this name"}

__all__ = ["IDEMPOTENCY_KEYS", "LOGIN_FAILURES", "METADATA", "NAME_TAKEN", "USERS"]


# Users. The name is unique across realms, since a login has no realm.
USERS = Table(
    "users",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("realm", String(10), nullable=False),
    Column("name", String(100), nullable=False),
    Column("name_key", String(MAX_KEY_LENGTH), nullable=False),
    Column("password", String(200), nullable=False),
    Column("version", BigInteger, server_default="1", nullable=False),
    Column("expires_at", DateTime(timezone=True), index=True),
    UniqueConstraint(
        "name_key",
        name="uq_users_name",
        info=NAME_TAKEN,
    ),
)


# Login failures by account and by address, and registrations by address; ``key`` is a hash.
LOGIN_FAILURES = Table(
    "login_failures",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", DateTime(timezone=True), server_default=func.now(), nullable=False),
    Column("last", DateTime(timezone=True), server_default=func.now(), index=True, nullable=False),
)
