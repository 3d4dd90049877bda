"""The one way to the database: a small pool, short time-outs, two kinds of connection."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, MetaData, create_engine, make_url, text
from sqlalchemy.orm import DeclarativeBase

POOL_TIMEOUT = 2  # seconds to wait for a connection; then 503
CONNECT_TIMEOUT = 3  # seconds
STATEMENT_TIMEOUT = 5_000  # milliseconds
IDLE_IN_TRANSACTION_TIMEOUT = 10_000  # milliseconds

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Base(DeclarativeBase):
    """The base of every mapped class; a service has the tables that it imports."""

    metadata = MetaData(naming_convention=NAMES)


class Database:
    """A service's own PostgreSQL database."""

    def __init__(self, url: str, *, connections: int, application: str) -> None:
        """Prepare a pool of ``connections``; nothing connects before it is used."""
        self._engine = create_engine(
            driver_url(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT,
            pool_pre_ping=True,
            pool_use_lifo=True,
            hide_parameters=True,  # they are personal data, and errors end up in logs
            connect_args={
                "application_name": application,
                "connect_timeout": CONNECT_TIMEOUT,
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT} -c timezone=UTC"
                f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT}"
                " -c default_transaction_isolation=read\\ committed",  # our locks count on it
            },
        )
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """Lend a connection on which each statement is a transaction of its own."""
        with self._autocommit.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection in a transaction, committed at the end and undone on any error."""
        with self._engine.begin() as connection:
            yield connection

    def ping(self) -> None:
        """Ask the database for nothing; raises what SQLAlchemy raises when it does not answer."""
        with self.statement() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection of the pool."""
        self._engine.dispose()


def driver_url(url: str) -> URL:
    """Return a database URL that names our driver; ``postgresql://`` alone leaves it open."""
    return make_url(url).set(drivername="postgresql+psycopg2")
