"""The one way to the database: a small pool, short time-outs, two kinds of connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import QueuePool

from servicekit.db import timeouts
from servicekit.db.pool import Loan, Stock, Trials, Watch
from servicekit.telemetry.shared_metrics import Reading
from servicekit.telemetry.tracing import Traces

POOL_TIMEOUT = 2  # seconds to wait for a connection; then 503
CONNECT_TIMEOUT = 3  # seconds
STATEMENT_TIMEOUT = 5_000  # milliseconds
ANSWER_WITHIN = 6.0  # seconds; a server that keeps its own time-out answers before
CONNECT_WITHIN = 2.0  # seconds for a new connection
IDLE_IN_TRANSACTION_TIMEOUT = 10_000  # milliseconds

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


METADATA = MetaData(naming_convention=NAMES)  # of the tables that a service imports


class Database:
    """A service's own PostgreSQL database."""

    def __init__(
        self, url: str, *, connections: int, application: str, spans: Traces | None = None
    ) -> None:
        """Prepare a pool of ``connections``; nothing connects before it is used.

        ``spans`` sees each statement, if it is there.
        """
        self._engine = create_engine(
            driver_url(url),
            isolation_level="AUTOCOMMIT",  # most requests are one statement: nothing to set for it
            pool_size=connections,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT,
            pool_reset_on_return=None,  # a transaction is ended where it is begun
            pool_use_lifo=True,
            hide_parameters=True,  # they are personal data, and errors end up in logs
            connect_args={
                "application_name": application,
                "cursor_factory": spans.cursor if spans is not None else None,
                "connect_timeout": CONNECT_TIMEOUT,
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT} -c timezone=UTC"
                f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT}"
                " -c default_transaction_isolation=read\\ committed",  # our locks count on it
            },
        )
        event.listen(self._engine, "checkout", _refuse_when_closed)
        timeouts.install()
        self._stock, self._trials = Stock(self._engine), Trials()

    def statement(self) -> Loan:
        """Lend a connection on which each statement is a transaction of its own.

        Raises:
            Unavailable: the database hangs, and somebody else is trying already.

        """
        return Loan(
            self._stock,
            self._trials,
            connect_within=CONNECT_WITHIN,
            answer_within=ANSWER_WITHIN,
        )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection in a transaction, committed at the end and undone on any error.

        It is begun and ended by statements: to take psycopg2 out of its autocommit and back again
        costs two more, and what goes wrong in those reaches us as no error of SQLAlchemy's.

        Raises:
            Unavailable: the database hangs, and somebody else is trying already.

        """
        with self.statement() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                _undo(connection)
                raise

    def ping(self) -> None:
        """Ask the database for nothing; raises what SQLAlchemy raises when it does not answer."""
        with self.statement() as connection:
            connection.execute(text("SELECT 1"))

    def readings(self) -> list[Reading]:
        """Return what can be told of the pool."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)  # noqa: S101 - what create_engine makes for PostgreSQL
        return [
            Reading(
                "cadastro_database_connections_max", "Size limit of the connection pool.", pool.size
            ),
            Reading(
                "cadastro_database_connections_in_use",
                "Connections checked out of the pool.",
                lambda: pool.checkedout() - len(self._stock),
            ),
        ]

    def close(self) -> None:
        """Close every connection."""
        self._stock.clear()
        self._engine.dispose()


def _undo(connection: Connection) -> None:
    """End a transaction without what it has done; a connection that cannot is closed."""
    if connection.invalidated:
        return
    try:
        connection.exec_driver_sql("ROLLBACK")
    except DBAPIError:
        connection.invalidate()


def _refuse_when_closed(connection: Any, *_: object) -> None:  # noqa: ANN401 - psycopg2's
    """Have the pool replace a connection that the server has closed while nobody used it."""
    if Watch(connection).was_closed():
        raise DisconnectionError


def driver_url(url: str) -> URL:
    """Return a database URL that names our driver; ``postgresql://`` alone leaves it open."""
    return make_url(url).set(drivername="postgresql+psycopg2")
