"""Transactional outbox: a message for another service commits with the change that caused it.

Relay processes, of which several may run, claim rows under a lease, deliver them, and delete a row
only after a successful delivery. The lease of a relay that dies expires. Delivery is at least once,
so the receiving operations are idempotent.
"""

import logging
import random
import select
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 - a class, named so there
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Identity,
    Integer,
    String,
    Table,
    func,
    insert,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from servicekit.db.database import METADATA, Database
from servicekit.problems import Unavailable
from servicekit.telemetry import tracing
from servicekit.telemetry.shared_metrics import Sample

CHANNEL = "outbox"
BATCH_SIZE = 40  # rows
CONCURRENCY = 4  # simultaneous deliveries
LEASE = 10  # seconds until another relay may claim the rows of a batch
POLL_INTERVAL = 5.0  # seconds; limits the delay after a lost notification
BACKOFF_MIN, BACKOFF_MAX = 0.5, 5.0  # seconds, while deliveries fail
REJECT_BACKOFF_MAX = 60.0  # seconds between deliveries of a rejected message
# attempts that count while the receiver is unavailable: they reach BACKOFF_MAX, and a message that
# is rejected once after an outage, as by a proxy without a route, does not wait for long
MAX_FAILED_ATTEMPTS = 4
# seconds; no message waits longer, so a later due time is from before the clock stepped back
MAX_WAIT = max(LEASE, REJECT_BACKOFF_MAX)

# errors of the driver, the pool and the circuit breaker
DATABASE_ERRORS = (DBAPIError, psycopg2.Error, PoolTimeoutError, Unavailable)

log = logging.getLogger(__name__)


# Messages for another service: ids only, no personal data.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    Column(
        "due_at", DateTime(timezone=True), server_default=func.now(), index=True, nullable=False
    ),
    Column("attempts", Integer, server_default="0", nullable=False),
    Column("traceparent", String(55)),  # of the request that enqueued it
)


_INSERT = insert(OUTBOX)
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")
_CLAIM = text("""
    UPDATE outbox SET due_at = now() + make_interval(secs => :lease), attempts = attempts + 1
    WHERE id IN (SELECT id FROM outbox
                 WHERE due_at <= now() OR due_at > now() + make_interval(secs => :longest)
                 ORDER BY due_at, id LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, subject_id, attempts, traceparent
""")
_DELETE = text("DELETE FROM outbox WHERE id = ANY(:ids)")
_RELEASE = text("UPDATE outbox SET due_at = now(), attempts = attempts - 1 WHERE id = ANY(:ids)")
_RESCHEDULE = text("""
    UPDATE outbox SET due_at = now() + make_interval(secs => :wait), attempts = :attempts
    WHERE id = :id
""")
_AGE = text("SELECT greatest(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox")
_DEPTH = text("SELECT count(*) FROM outbox")


class ReceiverUnavailable(Exception):
    """The receiver is unavailable, or fails at this message; all messages have to wait."""


class DeliveryRejected(Exception):
    """The receiver rejected this message; the others need not wait."""


def enqueue(connection: Connection, kind: str, subject_id: int) -> None:
    """Add a message in the transaction of ``connection``; the commit notifies the relays."""
    traceparent = tracing.sampled_traceparent()
    message = {"kind": kind, "subject_id": subject_id, "traceparent": traceparent}
    connection.execute(_INSERT, message)
    connection.execute(_NOTIFY)


def metrics(database: Database) -> Iterator[Sample]:
    """Yield the number of messages and the age of the oldest one."""
    yield Sample("cadastro_outbox_messages", "Messages waiting for delivery.", depth(database))
    about = "Age of the oldest undelivered message; 0 when the outbox is empty."
    yield Sample("cadastro_outbox_oldest_message_age_seconds", about, age(database))


def age(database: Database) -> float:
    """Return the age of the oldest message in seconds; 0 if there is none."""
    with database.autocommit() as connection:
        return float(connection.scalar(_AGE) or 0)


def depth(database: Database) -> int:
    """Return the number of messages."""
    with database.autocommit() as connection:
        return int(connection.scalar(_DEPTH) or 0)


@dataclass(frozen=True)
class _Failure:
    """A message whose delivery failed."""

    attempts: int
    wait: float  # seconds


@dataclass
class _Batch:
    """Outcome of a batch of claimed rows, by their ids; several threads append to it."""

    deadline: float  # no delivery starts later, since another relay may claim the rows
    delivered: list[int] = field(default_factory=list)
    retry: list[int] = field(default_factory=list)  # not sent
    failed: dict[int, _Failure] = field(default_factory=dict)
    failed_at: list[str] = field(default_factory=list)  # the messages of ReceiverUnavailable


class Relay:
    """Delivers the messages of an outbox until it is stopped."""

    def __init__(
        self,
        database: Database,
        deliver: Callable[[str, int], None],
        spans: tracing.Tracing | None = None,
    ) -> None:
        """Call ``deliver(kind, subject_id)`` for each row, within a span of ``spans``.

        It raises ``ReceiverUnavailable`` or ``DeliveryRejected`` on failure.
        """
        self._spans = spans or tracing.Tracing()
        self._database = database
        self._deliver = deliver
        self._stopping = threading.Event()
        self._failures = 0
        self._retry_at = float("inf")  # when the first failed message of the last batch is due

    def stop(self) -> None:
        """End ``run`` after the current deliveries."""
        self._stopping.set()

    def run(self) -> None:
        """Deliver until ``stop``; retry with backoff while the database is unavailable."""
        while not self._stopping.is_set():
            try:
                with self._database.autocommit() as connection:
                    self._listen_and_deliver(connection)
            except DATABASE_ERRORS as error:
                self._failures += 1
                log.warning("the database is unavailable: %s", type(error).__name__)
                self._stopping.wait(_backoff(self._failures))

    def deliver_batch(self) -> int:
        """Deliver at most a batch of due messages and return the number of claimed rows.

        Raises:
            ReceiverUnavailable: a delivery failed. Its message is due after the others, because
                the receiver may be available and fail at this one alone.

        """
        with self._database.transaction() as connection:
            values = {"lease": LEASE, "batch": BATCH_SIZE, "longest": MAX_WAIT}
            rows = connection.execute(_CLAIM, values).all()
        if rows:
            batch = _Batch(time.monotonic() + LEASE / 2)
            with ThreadPoolExecutor(CONCURRENCY) as pool:
                list(pool.map(lambda row: self._deliver_one(row, batch), rows))
            self._record_results(batch)
            if batch.failed_at:
                raise ReceiverUnavailable(", ".join(batch.failed_at))
        return len(rows)

    def _deliver_one(self, row: Any, batch: "_Batch") -> None:  # noqa: ANN401 - a row of _CLAIM
        is_late = time.monotonic() > batch.deadline
        if batch.failed_at or self._stopping.is_set() or is_late:
            batch.retry.append(row.id)
            return
        try:
            with self._spans.delivery_span(row.kind, row.traceparent):
                self._deliver(row.kind, row.subject_id)
        except ReceiverUnavailable:
            batch.failed_at.append(f"{row.kind} {row.subject_id}")
            attempts = min(row.attempts, MAX_FAILED_ATTEMPTS)
            batch.failed[row.id] = _Failure(attempts, _delay(attempts, BACKOFF_MAX))
        except DeliveryRejected as error:
            log.error(  # noqa: TRY400 - the stack would not help: the fault is the receiver's
                "the receiver rejects %s %s: %s", row.kind, row.subject_id, error
            )
            wait = _delay(row.attempts, REJECT_BACKOFF_MAX)
            batch.failed[row.id] = _Failure(row.attempts, wait)
        else:
            batch.delivered.append(row.id)

    def _record_results(self, batch: "_Batch") -> None:
        """Delete delivered rows and reschedule the others in one transaction."""
        with self._database.transaction() as connection:
            if batch.delivered:
                connection.execute(_DELETE, {"ids": batch.delivered})
            if batch.retry:
                connection.execute(_RELEASE, {"ids": batch.retry})
            for row_id, failure in batch.failed.items():
                connection.execute(_RESCHEDULE, {"id": row_id, **asdict(failure)})
        waits = (failure.wait for failure in batch.failed.values())
        self._retry_at = time.monotonic() + min(waits, default=float("inf"))

    def _listen_and_deliver(self, connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, DriverConnection)  # noqa: S101 - for mypy; the URL sets the driver
        connection.execute(text(f"LISTEN {CHANNEL}"))
        while not self._stopping.is_set():
            try:
                claimed = self.deliver_batch()
                self._failures = 0
            except ReceiverUnavailable as error:
                self._failures += 1
                log.warning("the receiver is unavailable, or fails at %s", error)
                self._stopping.wait(_backoff(self._failures))
                continue
            if claimed < BATCH_SIZE:
                self._wait(driver)

    def _wait(self, driver: DriverConnection) -> None:
        """Wait for a notification, ``stop``, a failed message that is due, or the poll interval."""
        deadline = time.monotonic() + POLL_INTERVAL
        if time.monotonic() < self._retry_at:
            deadline = min(deadline, self._retry_at)
        while not self._stopping.is_set() and time.monotonic() < deadline:
            select.select([driver], [], [], 0.5)
            driver.poll()
            if driver.notifies:
                driver.notifies.clear()
                return


def _backoff(failures: int) -> float:
    """Return an exponential backoff with full jitter in seconds."""
    longest = _delay(failures, BACKOFF_MAX)
    return random.uniform(BACKOFF_MIN / 2, longest)  # noqa: S311 - spreads load, guards nothing


def _delay(failures: int, longest: float) -> float:
    """Return an exponential delay in seconds."""
    return min(longest, BACKOFF_MIN * 2.0 ** min(failures, 20))
