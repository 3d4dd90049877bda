"""Throttling of logins by account and address, and of registrations by address.

Delays increase with each failure or registration. Accounts are never locked. Keys are hashed, since
names and addresses are personal data.
"""

import hashlib
import math
from dataclasses import dataclass

from sqlalchemy import Connection, text

from servicekit.problems import TooManyRequests


@dataclass(frozen=True, slots=True)
class Limit:
    """The number of failures or registrations without a delay, and the maximum delay."""

    free: int
    max_delay: int  # seconds


LIMITS = {"account": Limit(5, 300), "address": Limit(100, 60)}
MAX_REGISTRATION_DELAY = 60  # seconds
MAX_DELAY = max(limit.max_delay for limit in LIMITS.values())
RETENTION = "15 minutes"  # of the count, after the last failure

_REMAINING_DELAY = text("""
    SELECT coalesce(max(extract(epoch FROM until - now())), 0)::float8
    FROM login_failures
    WHERE key = ANY(:keys) AND until <= now() + make_interval(secs => :longest)
""")
_INCREMENT = text("""
    INSERT INTO login_failures AS seen (key, failures, until, last)
    VALUES (:key, 1, now(), now())
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN seen.last < now() - CAST(:retention AS interval) THEN 1
                        ELSE least(seen.failures + 1, 1000000) END,
        last = now()
    RETURNING failures
""")
_SET_DELAY = text(
    "UPDATE login_failures SET until = now() + make_interval(secs => :s) WHERE key = :key"
)
_DELETE = text("DELETE FROM login_failures WHERE key = :key")
_DELETE_EXPIRED = text("""
    DELETE FROM login_failures WHERE key IN (
        SELECT key FROM login_failures
        WHERE last < now() - CAST(:retention AS interval) AND until < now()
        LIMIT :batch FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """An attempt to log in to an account from an address."""

    account: str
    address: str

    def keys(self) -> dict[str, bytes]:
        """Return the hashed keys, by kind."""
        parts = {"account": self.account, "address": self.address}
        return {kind: _key(kind, part) for kind, part in parts.items()}


def check(connection: Connection, attempt: LoginAttempt) -> None:
    """Raise ``TooManyRequests`` if the delay has not passed."""
    _check(connection, list(attempt.keys().values()))


def admit_registration(connection: Connection, address: str, limit: int) -> None:
    """Count a registration from an address.

    Raises:
        TooManyRequests: there were ``limit`` before, and the delay has not passed.

    """
    key = _key("registration", address)
    _check(connection, [key])
    _count(connection, key, Limit(limit, MAX_REGISTRATION_DELAY))


def _check(connection: Connection, keys: list[bytes]) -> None:
    # a delay beyond the maximum is from before the clock was set back
    values = {"keys": keys, "longest": MAX_DELAY}
    wait = float(connection.scalar(_REMAINING_DELAY, values) or 0)
    if wait > 0:
        problem = TooManyRequests()
        problem.headers["Retry-After"] = str(math.ceil(wait))
        raise problem


def record_failure(connection: Connection, attempt: LoginAttempt) -> None:
    """Count a failure, and delay the next attempt."""
    for kind, key in attempt.keys().items():
        _count(connection, key, LIMITS[kind])


def reset_account(connection: Connection, attempt: LoginAttempt) -> None:
    """Delete the failures of the account; the address may be attacking other accounts."""
    connection.execute(_DELETE, {"key": attempt.keys()["account"]})


def delete_expired(connection: Connection, batch: int) -> int:
    """Delete a batch of expired failure counts, and return their number."""
    return connection.execute(_DELETE_EXPIRED, {"batch": batch, "retention": RETENTION}).rowcount


def _key(kind: str, part: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{part}".encode()).digest()


def _count(connection: Connection, key: bytes, limit: Limit) -> None:
    values = {"key": key, "retention": RETENTION}
    count = int(connection.execute(_INCREMENT, values).scalar_one())
    delay = _delay(limit, count)
    if delay:
        connection.execute(_SET_DELAY, {"key": key, "s": delay})


def _delay(limit: Limit, count: int) -> int:
    """Return the delay in seconds: 1, 2, 4, ... after the free ones."""
    excess = count - limit.free
    return 0 if excess < 0 else min(limit.max_delay, 2 ** min(excess, 20))
