"""``Idempotency-Key``: a retried write returns the first response and changes nothing.

The transaction of the write also stores the key, a fingerprint of the request and the response
(draft-ietf-httpapi-idempotency-key-header). Errors are not stored, so a rejected request may be
retried under its key.
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
from servicekit.http.responses import Result
from servicekit.problems import Conflict, Unprocessable

RETENTION = "73 hours"  # the contract promises 72 by the clock of the caller


# Writes that carried a key, and the responses to them.
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
_DELETE_EXPIRED = text(
    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys"
    " WHERE created_at < now() - CAST(:retention AS interval) LIMIT :batch FOR UPDATE SKIP LOCKED)"
)


def idempotent(
    key: str | None,
    caller: str | None,
    body: Any,  # noqa: ANN401 - any JSON value
    write: Callable[[Connection], Result],
    *,
    single_statement: bool = False,
) -> Result:
    """Run ``write`` in a transaction, or return the stored response if the key was used before.

    Without a key, a ``single_statement`` write runs outside a transaction.

    Raises:
        Unprocessable: the key was used before for another request.
        Conflict: a request with this key is still running.

    """
    if key is None and single_statement:
        with database().autocommit() as connection:
            return write(connection)
    with database().transaction() as connection:
        if key is None:
            return write(connection)
        return _write_once(connection, _KeyedRequest(key, caller, body), write)


def replayed_response(key: str | None, caller: str | None, body: Any) -> Result | None:  # noqa: ANN401 - any JSON value
    """Return the stored response of a key, for a write that calls other services first.

    Raises:
        Unprocessable: the key was used before for another request.

    """
    if key is None:
        return None
    with database().autocommit() as connection:
        return _KeyedRequest(key, caller, body).stored_response(connection)


def delete_expired(connection: Connection, batch: int) -> int:
    """Delete at most ``batch`` keys older than the retention, and return their number."""
    parameters = {"batch": batch, "retention": RETENTION}
    return connection.execute(_DELETE_EXPIRED, parameters).rowcount


class _KeyedRequest:
    """A request with a key."""

    def __init__(self, key: str, caller: str | None, body: Any) -> None:  # noqa: ANN401
        self.identity = {
            "principal": caller or "-",
            "operation": str(request.endpoint).removesuffix(".alias"),
            "key": key,
        }
        canonical = orjson.dumps(body, default=str, option=orjson.OPT_SORT_KEYS)
        self.fingerprint = hashlib.sha256(canonical).digest()
        name = "\0".join(self.identity.values()).encode()
        self.lock = int.from_bytes(hashlib.sha256(name).digest()[:8], signed=True)

    def stored_response(self, connection: Connection) -> Result | None:
        """Return the stored response, if there is one; may raise ``Unprocessable``."""
        statement = select(IDEMPOTENCY_KEYS).filter_by(**self.identity)
        row = connection.execute(statement).mappings().first()
        if row is None:
            return None
        if bytes(row["fingerprint"]) != self.fingerprint:
            raise Unprocessable
        return Result(row["body"], row["status"], row["headers"])


def _write_once(
    connection: Connection, keyed: _KeyedRequest, write: Callable[[Connection], Result]
) -> Result:
    if not connection.scalar(_LOCK, {"lock": keyed.lock}):
        raise Conflict(
            "A request with this Idempotency-Key is still running", headers={"Retry-After": "1"}
        )
    stored = keyed.stored_response(connection)
    if stored is not None:
        return stored
    result = write(connection)
    response = {"status": int(result.status), "headers": result.headers, "body": result.body}
    values = {**keyed.identity, "fingerprint": keyed.fingerprint, **response}
    connection.execute(insert(IDEMPOTENCY_KEYS).values(values))
    return result
