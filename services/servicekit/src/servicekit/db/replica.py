"""Reads on a streaming replica that has replayed every commit acknowledged before the read.

The primary returns the position up to which its write-ahead log is flushed. A commit is
acknowledged after its flush, so a replica that has replayed that position shows every acknowledged
write, of any caller and process (ADR 101). This is the read index of Raft (dissertation, 6.4).
"""

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from psycopg2.errors import QueryCanceled
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from servicekit.db import timeouts
from servicekit.db.database import READ_TIMEOUT, Database
from servicekit.problems import Unavailable
from servicekit.telemetry.shared_metrics import Instrument

CHECK_TIMEOUT = 0.5  # seconds for each read while a connection is opened, and for the check
FAILURE_INTERVAL = 2.0  # seconds that reads use the primary, after the replica failed
LAG_INTERVAL = 0.5  # seconds, after the replica lagged: 25 times as long as the wait for it
REPLAY_WAIT = 20  # times a millisecond; replication usually takes less than one

T = TypeVar("T")

log = logging.getLogger(__name__)

# empty on a standby, which is no primary yet after a failover
_FLUSHED = text("SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END")
# false on a promoted server, whose position stays where it was
_WAIT_FOR_REPLAY = text(
    "SELECT pg_is_in_recovery() FROM generate_series(1, :attempts) WHERE CASE"
    " WHEN pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn) THEN true"
    " ELSE pg_sleep(0.001) IS NULL END LIMIT 1"  # sleeps, and is false
)


class ReplicatedDatabase(Database):
    """A primary, and a streaming replica for reads."""

    def __init__(self, url: str, replica_url: str, **options: Any) -> None:  # noqa: ANN401 - those of Database
        """Prepare a pool for each server; ``options`` are those of ``Database``."""
        super().__init__(url, **options)
        self._replica = Database(replica_url, checkout_timeout=CHECK_TIMEOUT, **options)
        self._retry_at = 0.0
        self._is_failing = False
        self._lock = Lock()
        self._replica_reads = self._fallbacks = 0

    def read(self, query: Callable[[Connection], T]) -> T:
        """Return the result of ``query``, on the replica if it is current, else on the primary.

        Raises:
            Unavailable: the primary hangs, and another caller is probing it already.

        """
        if time.monotonic() >= self._retry_at and (position := self._flushed_position()):
            try:
                with self._replica.autocommit() as replica:
                    if _has_replayed(replica, position):
                        self._count_replica_read()
                        return query(replica)
                self._retry_at = time.monotonic() + LAG_INTERVAL
            except (DBAPIError, PoolTimeoutError, Unavailable) as error:
                if isinstance(getattr(error, "orig", None), QueryCanceled):
                    raise  # by statement_timeout, which the primary would exceed too
                self._retry_at = time.monotonic() + FAILURE_INTERVAL
                self._record_failure(error)
        with self._lock:
            self._fallbacks += 1
        return super().read(query)

    def instruments(self) -> list[Instrument]:
        """Return the metrics of the primary's pool and of the reads."""
        return [
            *super().instruments(),
            Instrument(
                "cadastro_database_replica_reads",
                "Reads on the replica.",
                lambda: self._replica_reads,
                is_counter=True,
            ),
            Instrument(
                "cadastro_database_replica_fallbacks",
                "Reads on the primary because the replica was unavailable or behind.",
                lambda: self._fallbacks,
                is_counter=True,
            ),
        ]

    def close(self) -> None:
        """Close every connection."""
        super().close()
        self._replica.close()

    def _flushed_position(self) -> str | None:
        with self.autocommit() as primary:
            position: str | None = primary.scalar(_FLUSHED)
        return position

    def _count_replica_read(self) -> None:
        with self._lock:
            self._replica_reads += 1
            is_back, self._is_failing = self._is_failing, False
        if is_back:
            log.info("reads use the replica again")

    def _record_failure(self, error: Exception) -> None:
        with self._lock:
            is_new, self._is_failing = not self._is_failing, True
        if is_new:
            log.warning("reads use the primary, the replica failed: %s", type(error).__name__)


def open_database(url: str, replica_url: str, **options: Any) -> Database:  # noqa: ANN401 - those of Database
    """Return the database, with a replica unless its URL is empty."""
    return (
        ReplicatedDatabase(url, replica_url, **options) if replica_url else Database(url, **options)
    )


def _has_replayed(replica: Connection, position: str) -> bool:
    """Wait a moment for the replica to replay a position, and return whether it has."""
    timeouts.set_read_timeout(CHECK_TIMEOUT)
    values = {"attempts": REPLAY_WAIT, "position": position}
    has_replayed = replica.scalar(_WAIT_FOR_REPLAY, values)
    timeouts.set_read_timeout(READ_TIMEOUT)
    return bool(has_replayed)
