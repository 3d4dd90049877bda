"""Slows down who guesses passwords: a growing delay per account and per address, never a lock.

Only failures count. What is counted is kept under a hash: a name or an address is personal data.
"""

import hashlib
import math
from dataclasses import dataclass

from sqlalchemy import Connection, text

from servicekit.problems import TooManyRequests


@dataclass(frozen=True, slots=True)
class Limit:
    """How many failures are free, and how long the delay may grow."""

    free: int
    longest: int  # seconds


LIMITS = {"account": Limit(5, 300), "address": Limit(100, 60)}
FORGOTTEN = "15 minutes"  # after the last failure

_WAIT = text("""
    SELECT coalesce(max(extract(epoch FROM until - now())), 0)::float8
    FROM login_failures WHERE key = ANY(:keys)
""")
_FAIL = text("""
    INSERT INTO login_failures AS seen (key, failures, until, last)
    VALUES (:key, 1, now(), now())
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN seen.last < now() - CAST(:forgotten AS interval) THEN 1
                        ELSE least(seen.failures + 1, 1000000) END,
        last = now()
    RETURNING failures
""")
_DELAY = text(
    "UPDATE login_failures SET until = now() + make_interval(secs => :s) WHERE key = :key"
)
_FORGIVE = text("DELETE FROM login_failures WHERE key = :key")
_EXPIRE = text("""
    DELETE FROM login_failures WHERE key IN (
        SELECT key FROM login_failures
        WHERE last < now() - CAST(:forgotten AS interval) AND until < now()
        LIMIT :batch FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to log in to an account, from an address."""

    account: str
    address: str

    def keys(self) -> dict[str, bytes]:
        """Return what is counted, by its kind."""
        parts = {"account": self.account, "address": self.address}
        return {
            kind: hashlib.sha256(f"{kind}\0{part}".encode()).digest()
            for kind, part in parts.items()
        }


def check(connection: Connection, attempt: Attempt) -> None:
    """Let an attempt pass, unless it comes too soon; raises ``TooManyRequests``."""
    wait = float(connection.scalar(_WAIT, {"keys": list(attempt.keys().values())}) or 0)
    if wait > 0:
        problem = TooManyRequests()
        problem.headers["Retry-After"] = str(math.ceil(wait))
        raise problem


def failed(connection: Connection, attempt: Attempt) -> None:
    """Count a failure; the next attempt may have to wait."""
    for kind, key in attempt.keys().items():
        values = {"key": key, "forgotten": FORGOTTEN}
        failures = int(connection.execute(_FAIL, values).scalar_one())
        delay = _delay(LIMITS[kind], failures)
        if delay:
            connection.execute(_DELAY, {"key": key, "s": delay})


def succeeded(connection: Connection, attempt: Attempt) -> None:
    """Forgive the account its failures; the address may be guessing at others too."""
    connection.execute(_FORGIVE, {"key": attempt.keys()["account"]})


def expire(connection: Connection, batch: int) -> int:
    """Delete failures that are forgotten, at most a batch, and return how many."""
    return connection.execute(_EXPIRE, {"batch": batch, "forgotten": FORGOTTEN}).rowcount


def _delay(limit: Limit, failures: int) -> int:
    """Return the seconds to wait after so many failures: 1, 2, 4 ... after the free ones."""
    beyond = failures - limit.free
    return 0 if beyond < 0 else min(limit.longest, 2 ** min(beyond, 20))
