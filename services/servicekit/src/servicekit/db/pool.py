"""Connection leases: a cache above SQLAlchemy's pool, a circuit breaker and a stale check."""

import select
from threading import Lock, RLock
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from servicekit.db import timeouts
from servicekit.db.timeouts import ReadTimeout
from servicekit.problems import Unavailable

READ_ONLY_SQL_TRANSACTION = "25006"  # SQLSTATE


class CircuitBreaker:
    """Admits a single caller while the database hangs, and rejects the others at once.

    Only a read time-out opens it. A database that refuses connections fails fast for all callers.
    """

    def __init__(self) -> None:
        """Start closed."""
        self._open = False  # the last read timed out
        self._lock = RLock()  # a relay that listens on one connection writes on another

    def enter(self) -> bool:
        """Return whether the caller is the one that probes the database.

        Raises:
            Unavailable: another caller is probing it already.

        """
        if not self._open:
            return False
        if not self._lock.acquire(blocking=False):
            raise Unavailable
        return True

    def record(self, *, probing: bool, error: BaseException | None) -> None:
        """Open or close the circuit by the outcome of a lease."""
        if error is None:
            self._open = False
        elif isinstance(error, DBAPIError):
            self._open = isinstance(error.orig, ReadTimeout)
        if probing:
            self._lock.release()


class StaleCheck:
    """Detects that the server has closed an idle connection, without a round trip.

    PostgreSQL sends unsolicited data on an idle connection only when it closes it, so a readable
    socket is stale. The check costs microseconds; SQLAlchemy's ping is a statement.
    """

    def __init__(self, driver_connection: Any) -> None:  # noqa: ANN401 - psycopg2's
        """Watch the socket of a psycopg2 connection."""
        self._driver_connection = driver_connection
        self._poll = select.poll()
        if not driver_connection.closed:
            self._poll.register(driver_connection, select.POLLIN)

    def is_stale(self) -> bool:
        """Return whether the connection is closed or about to be."""
        return bool(self._driver_connection.closed or self._poll.poll(0))


class _IdleConnection:
    """A connection of SQLAlchemy's and its stale check."""

    __slots__ = ("connection", "stale_check")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stale_check = StaleCheck(connection.connection.driver_connection)


class ConnectionCache:
    """Connections that stay checked out of SQLAlchemy's pool between two leases.

    A checkout and a return take a seventh of the time of a fetch. The pool still limits the number
    of connections, and callers wait there; while any caller waits, the cache stays empty.
    """

    def __init__(self, engine: Engine) -> None:
        """Check connections out of the pool of ``engine`` on demand."""
        self._engine = engine
        self._idle: list[_IdleConnection] = []
        self._waiting = 0  # callers at the pool
        self._lock = Lock()

    def __len__(self) -> int:
        """Return the number of idle connections."""
        return len(self._idle)

    def acquire(self) -> _IdleConnection:
        """Return a connection that is not stale; raise the errors of the pool."""
        while (cached := self._pop_idle()) is not None:
            if not cached.stale_check.is_stale():
                return cached
            cached.connection.invalidate()
            cached.connection.close()
        try:
            return _IdleConnection(self._engine.connect())
        finally:
            with self._lock:
                self._waiting -= 1

    def release(self, cached: _IdleConnection, *, is_healthy: bool) -> None:
        """Keep a healthy connection unless a caller waits at the pool; else return it there."""
        with self._lock:
            keep = is_healthy and not self._waiting
            if keep:
                self._idle.append(cached)
        if not keep:
            cached.connection.close()

    def clear(self) -> None:
        """Return every idle connection to the pool."""
        while self._idle:
            self._idle.pop().connection.close()

    def _pop_idle(self) -> _IdleConnection | None:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            self._waiting += 1
            return None


def is_read_only(error: BaseException) -> bool:
    """Return whether a statement was refused because the database is read-only now.

    It is after a failover that keeps connections, and on a full disk of some providers.
    """
    return getattr(getattr(error, "orig", None), "pgcode", None) == READ_ONLY_SQL_TRANSACTION


class ConnectionLease:
    """A context manager that holds a connection.

    Every request uses one. A generator-based context manager took nearly as long as the pool did.
    """

    def __init__(
        self,
        cache: ConnectionCache,
        breaker: CircuitBreaker,
        *,
        checkout_timeout: float,
        read_timeout: float,
    ) -> None:
        """Lease from ``cache``; both time-outs are in seconds."""
        self._cache, self._breaker = cache, breaker
        self._checkout_timeout, self._read_timeout = checkout_timeout, read_timeout

    def __enter__(self) -> Connection:
        """Return the connection.

        Raises:
            Unavailable: the database hangs, and another caller is probing it already.

        """
        self._probing = self._breaker.enter()
        self._outer_timeout = timeouts.set_read_timeout(self._checkout_timeout)
        try:
            self._leased = self._cache.acquire()
        except BaseException as error:
            self._finish(error)
            raise
        timeouts.set_read_timeout(self._read_timeout)
        return self._leased.connection

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """Release the connection."""
        connection = self._leased.connection
        if error is not None and is_read_only(error):
            connection.invalidate()  # perhaps of a former primary; another may be writable
        is_healthy = error is None and not connection.invalidated and not connection.closed
        try:
            self._cache.release(self._leased, is_healthy=is_healthy)
        except BaseException as failure:
            self._finish(failure)
            raise
        self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        timeouts.set_read_timeout(self._outer_timeout)
        self._breaker.record(probing=self._probing, error=error)
