"""Login throttling: increasing delays after failures of an account or an address.

Accounts are never locked. Keys are hashed, since names and addresses are personal data.
"""

import hashlib
import math
from dataclasses import dataclass

from sqlalchemy import Connection, text

from servicekit.problems import TooManyRequests


@dataclass(frozen=True, slots=True)
class Limit:
    """The number of failures without a delay, and the maximum delay."""

    free_failures: int
    max_delay: int  # seconds


LIMITS = {"account": Limit(5, 300), "address": Limit(100, 60)}
RETENTION = "15 minutes"  # of the count, after the last failure

_REMAINING_DELAY = text("""
    SELECT coalesce(max(extract(epoch FROM until - now())), 0)::float8
    FROM login_failures WHERE key = ANY(:keys)
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
        return {
            kind: hashlib.sha256(f"{kind}\0{part}".encode()).digest()
            for kind, part in parts.items()
        }


def check(connection: Connection, attempt: LoginAttempt) -> None:
    """Raise ``TooManyRequests`` if the delay has not passed."""
    wait = float(connection.scalar(_REMAINING_DELAY, {"keys": list(attempt.keys().values())}) or 0)
    if wait > 0:
        problem = TooManyRequests()
        problem.headers["Retry-After"] = str(math.ceil(wait))
        raise problem


def record_failure(connection: Connection, attempt: LoginAttempt) -> None:
    """Count a failure, and delay the next attempt."""
    for kind, key in attempt.keys().items():
        values = {"key": key, "retention": RETENTION}
        failures = int(connection.execute(_INCREMENT, values).scalar_one())
        delay = _delay(LIMITS[kind], failures)
        if delay:
            connection.execute(_SET_DELAY, {"key": key, "s": delay})


def reset_account(connection: Connection, attempt: LoginAttempt) -> None:
    """Delete the failures of the account; the address may be attacking other accounts."""
    connection.execute(_DELETE, {"key": attempt.keys()["account"]})


def delete_expired(connection: Connection, batch: int) -> int:
    """Delete a batch of expired failure counts, and return their number."""
    return connection.execute(_DELETE_EXPIRED, {"batch": batch, "retention": RETENTION}).rowcount


def _delay(limit: Limit, failures: int) -> int:
    """Return the delay in seconds: 1, 2, 4, ... after the free failures."""
    excess = failures - limit.free_failures
    return 0 if excess < 0 else min(limit.max_delay, 2 ** min(excess, 20))
