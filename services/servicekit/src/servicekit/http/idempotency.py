"""``Idempotency-Key``: a retried write answers what the first one answered, and writes nothing.

The key, a fingerprint of the request and the answer are stored in the transaction of the write
itself (draft-ietf-httpapi-idempotency-key-header). Errors are not stored: a request that was
refused may be sent again under its key.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from flask import request
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Identity,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from servicekit.db.database import METADATA
from servicekit.http.context import database
from servicekit.http.responses import Reply
from servicekit.problems import Conflict, Unprocessable

KEPT = "72 hours"


# One write that carried a key, and what was answered.
IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("principal", String(200), nullable=False),
    Column("operation", String(100), nullable=False),
    Column("key", String(255), nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", JSONB, nullable=False),
    Column(
        "created_at", DateTime(timezone=True), server_default=func.now(), index=True, nullable=False
    ),
    UniqueConstraint("principal", "operation", "key"),
)


_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_EXPIRE = text(
    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys"
    " WHERE created_at < now() - CAST(:kept AS interval) LIMIT :batch FOR UPDATE SKIP LOCKED)"
)


def once(
    key: str | None,
    caller: str | None,
    body: Any,  # noqa: ANN401 - any JSON value
    write: Callable[[Connection], Reply],
    *,
    alone: bool = False,
) -> Reply:
    """Answer with what ``write`` does in a transaction, or did when the key came before.

    A ``write`` that is one statement ``alone`` needs no transaction around it when there is no key.

    Raises:
        Unprocessable: the key came before with another request.
        Conflict: a request with this key is still running.

    """
    if key is None and alone:
        with database().autocommit() as connection:
            return write(connection)
    with database().transaction() as connection:
        if key is None:
            return write(connection)
        return _once(connection, _Attempt(key, caller, body), write)


def answered(key: str | None, caller: str | None, body: Any) -> Reply | None:  # noqa: ANN401 - any JSON value
    """Return what was answered when the key came before, for a write that must ask others first.

    Raises:
        Unprocessable: the key came before with another request.

    """
    if key is None:
        return None
    with database().autocommit() as connection:
        return _Attempt(key, caller, body).answer(connection)


def expire(connection: Connection, batch: int) -> int:
    """Delete keys that have been kept long enough, at most a batch, and return how many."""
    return connection.execute(_EXPIRE, {"batch": batch, "kept": KEPT}).rowcount


class _Attempt:
    """A request with a key."""

    def __init__(self, key: str, caller: str | None, body: Any) -> None:  # noqa: ANN401
        self.where = {
            "principal": caller or "-",
            "operation": str(request.endpoint).removesuffix(".alias"),
            "key": key,
        }
        canonical = orjson.dumps(body, default=str, option=orjson.OPT_SORT_KEYS)
        self.fingerprint = hashlib.sha256(canonical).digest()
        name = "\0".join(self.where.values()).encode()
        self.lock = int.from_bytes(hashlib.sha256(name).digest()[:8], signed=True)

    def answer(self, connection: Connection) -> Reply | None:
        """Return the stored answer, if there is one; raises ``Unprocessable``."""
        row = (
            connection.execute(select(IDEMPOTENCY_KEYS).filter_by(**self.where)).mappings().first()
        )
        if row is None:
            return None
        if bytes(row["fingerprint"]) != self.fingerprint:
            raise Unprocessable
        return Reply(row["body"], row["status"], row["headers"])


def _once(connection: Connection, attempt: _Attempt, write: Callable[[Connection], Reply]) -> Reply:
    if not connection.scalar(_LOCK, {"lock": attempt.lock}):
        msg = "A request with this Idempotency-Key is still running"
        problem = Conflict(msg)
        problem.headers["Retry-After"] = "1"
        raise problem
    before = attempt.answer(connection)
    if before is not None:
        return before
    reply = write(connection)
    answer = {"status": int(reply.status), "headers": reply.headers, "body": reply.body}
    values = {**attempt.where, "fingerprint": attempt.fingerprint, **answer}
    connection.execute(insert(IDEMPOTENCY_KEYS).values(values))
    return reply
