"""The outbox: what another service must be told commits with the change that it tells of.

A relay, a process of its own of which several may run, takes rows under a lease, calls, and
deletes a row only when the call was answered. A relay that dies leaves rows whose lease runs
out; a call that was made twice does no harm, since the calls are idempotent.
"""

import logging
import random
import select
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
from servicekit.telemetry.shared_metrics import Fact

CHANNEL = "outbox"
BATCH = 40
AT_ONCE = 4  # calls
LEASE = 10  # seconds a relay has for a batch before another may take its rows
POLL = 5.0  # seconds at most until a row is seen whose notification was lost
SHORTEST_WAIT, LONGEST_WAIT = 0.5, 5.0  # seconds, while the receiver is away
LONGEST_REFUSAL = 60.0  # seconds between two attempts at a row that the receiver refuses

# whatever psycopg2, the pool, or somebody else's trial of a database that hangs says of it
DATABASE_AWAY = (DBAPIError, psycopg2.Error, PoolTimeoutError, Unavailable)

log = logging.getLogger(__name__)


# One thing that another service must be told: ids alone, no personal data.
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
    Column("traceparent", String(55)),  # of the request that left it
)


_INSERT = insert(OUTBOX)
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")
_CLAIM = text("""
    UPDATE outbox SET due_at = now() + make_interval(secs => :lease), attempts = attempts + 1
    WHERE id IN (SELECT id FROM outbox WHERE due_at <= now()
                 ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, subject_id, attempts, traceparent
""")
_DONE = text("DELETE FROM outbox WHERE id = ANY(:ids)")
_LATER = text(
    "UPDATE outbox SET due_at = now() + make_interval(secs => :wait) WHERE id = ANY(:ids)"
)
_AGE = text("SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox")
_DEPTH = text("SELECT count(*) FROM outbox")


class Away(Exception):
    """The receiver does not answer; every row has to wait for it."""


class Refused(Exception):
    """The receiver answered, and would not take this row; the others need not wait."""


def put(connection: Connection, kind: str, subject_id: int) -> None:
    """Add a message in the transaction of ``connection``; relays hear of it when it commits."""
    message = {"kind": kind, "subject_id": subject_id, "traceparent": tracing.to_keep()}
    connection.execute(_INSERT, message)
    connection.execute(_NOTIFY)


def facts(database: Database) -> Iterator[Fact]:
    """Yield how many messages wait, and how long the oldest one has."""
    yield Fact("cadastro_outbox_messages", "Messages waiting for delivery.", depth(database))
    about = "Age of the oldest undelivered message; 0 when the outbox is empty."
    yield Fact("cadastro_outbox_oldest_message_age_seconds", about, age(database))


def age(database: Database) -> float:
    """Return how long the oldest message has been waiting, in seconds; 0 when there is none."""
    with database.autocommit() as connection:
        return float(connection.scalar(_AGE) or 0)


def depth(database: Database) -> int:
    """Return how many messages are waiting."""
    with database.autocommit() as connection:
        return int(connection.scalar(_DEPTH) or 0)


@dataclass
class _Batch:
    """What became of the rows that were taken at once, by their ids; threads add to it."""

    deadline: float  # after it no call begins: another relay may take what is left
    done: list[int] = field(default_factory=list)
    later: list[int] = field(default_factory=list)
    refused: dict[int, float] = field(default_factory=dict)  # and the seconds to wait
    away: bool = False


class Relay:
    """Tells the receiver what the outbox holds, until it is stopped."""

    def __init__(
        self,
        database: Database,
        deliver: Callable[[str, int], None],
        spans: tracing.Traces | None = None,
    ) -> None:
        """Call ``deliver(kind, subject_id)`` for each row; it raises ``Away`` or ``Refused``.

        Each call has a span of ``spans``, if they are there.
        """
        self._spans = spans or tracing.Traces()
        self._database = database
        self._deliver = deliver
        self._stopping = threading.Event()
        self._failures = 0

    def stop(self) -> None:
        """End ``run`` soon: after the call that is under way."""
        self._stopping.set()

    def run(self) -> None:
        """Deliver for ever; a database that is away is waited for."""
        while not self._stopping.is_set():
            try:
                with self._database.autocommit() as connection:
                    self._listen_and_deliver(connection)
            except DATABASE_AWAY as error:
                self._failures += 1
                log.warning("the database is away: %s", type(error).__name__)
                self._stopping.wait(_backoff(self._failures))

    def deliver_batch(self) -> int:
        """Deliver what is due, at most a batch of it, and return how many rows were taken.

        Raises:
            Away: the receiver does not answer; the rows are due again at once.

        """
        with self._database.transaction() as connection:
            rows = connection.execute(_CLAIM, {"lease": LEASE, "batch": BATCH}).all()
        if rows:
            batch = _Batch(time.monotonic() + LEASE / 2)
            with ThreadPoolExecutor(AT_ONCE) as callers:
                list(callers.map(lambda row: self._deliver_one(row, batch), rows))
            self._settle(batch)
            if batch.away:
                raise Away
        return len(rows)

    def _deliver_one(self, row: Any, batch: "_Batch") -> None:  # noqa: ANN401 - a row of _CLAIM
        if batch.away or self._stopping.is_set() or time.monotonic() > batch.deadline:
            batch.later.append(row.id)
            return
        try:
            with self._spans.telling(row.kind, row.traceparent):
                self._deliver(row.kind, row.subject_id)
        except Away:
            batch.away = True
            batch.later.append(row.id)
        except Refused as error:
            log.error(  # noqa: TRY400 - no stack: nothing is wrong here
                "the receiver refuses %s %s: %s", row.kind, row.subject_id, error
            )
            batch.refused[row.id] = min(LONGEST_REFUSAL, SHORTEST_WAIT * 2 ** min(row.attempts, 20))
        else:
            batch.done.append(row.id)

    def _settle(self, batch: "_Batch") -> None:
        """Write down what became of a batch, in one transaction for all of it."""
        with self._database.transaction() as connection:
            if batch.done:
                connection.execute(_DONE, {"ids": batch.done})
            if batch.later:
                connection.execute(_LATER, {"ids": batch.later, "wait": 0})
            for row_id, wait in batch.refused.items():
                connection.execute(_LATER, {"ids": [row_id], "wait": wait})

    def _listen_and_deliver(self, connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, DriverConnection)  # noqa: S101 - tells mypy what the URL fixed
        connection.execute(text(f"LISTEN {CHANNEL}"))
        while not self._stopping.is_set():
            try:
                taken = self.deliver_batch()
                self._failures = 0
            except Away:
                self._failures += 1
                log.warning("the receiver is away")
                self._stopping.wait(_backoff(self._failures))
                continue
            if taken < BATCH:
                self._wait(driver)

    def _wait(self, driver: DriverConnection) -> None:
        """Wait for a notification; wake now and then to see whether to stop or to poll."""
        until = time.monotonic() + POLL
        while not self._stopping.is_set() and time.monotonic() < until:
            select.select([driver], [], [], 0.5)
            driver.poll()
            if driver.notifies:
                driver.notifies.clear()
                return


def _backoff(failures: int) -> float:
    """Return a wait with full jitter: anything up to twice the last one, in seconds."""
    longest = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(failures, 20))
    return random.uniform(SHORTEST_WAIT / 2, longest)  # noqa: S311 - spreads load, guards nothing
