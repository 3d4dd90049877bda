"""Access to a service's PostgreSQL database: a small pool with short time-outs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from psycopg2.extensions import make_dsn
from sqlalchemy import URL, Connection, MetaData, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import QueuePool

from servicekit.db import timeouts
from servicekit.db.pool import CircuitBreaker, ConnectionCache, ConnectionLease, StaleCheck
from servicekit.libpq import connection_parameters
from servicekit.telemetry.shared_metrics import Instrument
from servicekit.telemetry.tracing import Tracing

POOL_TIMEOUT = 2  # seconds to wait for a connection of the pool; then 503
CONNECT_TIMEOUT = 3  # seconds
STATEMENT_TIMEOUT = 5_000  # milliseconds
READ_TIMEOUT = 6.0  # seconds; longer than STATEMENT_TIMEOUT, so that a live server reports first
CHECKOUT_TIMEOUT = 2.0  # seconds for each read while a connection is opened
IDLE_IN_TRANSACTION_TIMEOUT = 10_000  # milliseconds

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


METADATA = MetaData(naming_convention=NAMING_CONVENTION)  # of the tables that a service imports

T = TypeVar("T")


class Database:
    """A service's own PostgreSQL database."""

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        application: str,
        tracing: Tracing | None = None,
        checkout_timeout: float = CHECKOUT_TIMEOUT,
    ) -> None:
        """Prepare a pool of ``connections``, which are opened on first use.

        ``tracing`` records a span for each statement. ``checkout_timeout`` is in seconds, for each
        read while a connection is opened. The settings of a session that ``url`` has as
        ``options`` apply too, unless they contradict those of the services.
        """
        given = connection_parameters(url)["options"]
        self._engine = create_engine(
            driver_url(url),
            isolation_level="AUTOCOMMIT",  # most requests are one statement
            pool_size=connections,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT,
            pool_reset_on_return=None,  # ``transaction`` ends what it begins
            pool_use_lifo=True,
            hide_parameters=True,  # they are personal data, and errors end up in logs
            connect_args={
                "application_name": application,
                "cursor_factory": tracing.cursor if tracing is not None else None,
                "connect_timeout": CONNECT_TIMEOUT,
                "options": f"{given} -c statement_timeout={STATEMENT_TIMEOUT} -c timezone=UTC"
                f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT}"
                " -c default_transaction_isolation=read\\ committed",  # our locks rely on it
            },
        )
        event.listen(self._engine, "checkout", _discard_stale)
        timeouts.install_wait_callback()
        self._cache, self._breaker = ConnectionCache(self._engine), CircuitBreaker()
        self._checkout_timeout = checkout_timeout

    def autocommit(self) -> ConnectionLease:
        """Lease a connection on which each statement is its own transaction.

        Raises:
            Unavailable: the database hangs, and another caller is probing it already.

        """
        return ConnectionLease(
            self._cache,
            self._breaker,
            checkout_timeout=self._checkout_timeout,
            read_timeout=READ_TIMEOUT,
        )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lease a connection in a transaction: commit at the end, roll back on any error.

        It runs BEGIN and COMMIT itself: switching psycopg2's autocommit off and on costs two more
        statements, whose failures do not arrive as SQLAlchemy's errors.

        Raises:
            Unavailable: the database hangs, and another caller is probing it already.

        """
        with self.autocommit() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                _rollback(connection)
                raise

    def read(self, query: Callable[[Connection], T]) -> T:
        """Return the result of ``query``, which must write nothing and may be called twice.

        Raises:
            Unavailable: the database hangs, and another caller is probing it already.

        """
        with self.autocommit() as connection:
            return query(connection)

    def ping(self) -> None:
        """Run an empty statement; raise SQLAlchemy's error if it fails."""
        with self.autocommit() as connection:
            connection.execute(text("SELECT 1"))

    def instruments(self) -> list[Instrument]:
        """Return the metrics of the pool."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)  # noqa: S101 - create_engine's choice for PostgreSQL
        return [
            Instrument(
                "cadastro_database_connections_max", "Size limit of the connection pool.", pool.size
            ),
            Instrument(
                "cadastro_database_connections_in_use",
                "Connections checked out of the pool.",
                lambda: pool.checkedout() - len(self._cache),
            ),
        ]

    def close(self) -> None:
        """Close every connection."""
        self._cache.clear()
        self._engine.dispose()


def _rollback(connection: Connection) -> None:
    """Roll back a transaction; close the connection if that fails."""
    if connection.invalidated:
        return
    try:
        connection.exec_driver_sql("ROLLBACK")
    except DBAPIError:
        connection.invalidate()


def _discard_stale(connection: Any, *_: object) -> None:  # noqa: ANN401 - psycopg2's
    """Make the pool replace a connection that the server has closed."""
    if StaleCheck(connection).is_stale():
        raise DisconnectionError


def driver_url(url: str) -> URL:
    """Return a URL for SQLAlchemy with the connection parameters that libpq reads in ``url``.

    The password is separate, so that SQLAlchemy hides it.
    """
    parameters = connection_parameters(url)
    password = parameters.pop("password", None)
    query = {"dsn": make_dsn(**parameters)}
    return URL.create("postgresql+psycopg2", password=password, query=query)
