"""Read time-outs and the circuit breaker for a database that hangs."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from servicekit.db import database
from servicekit.db.database import Database
from servicekit.db.timeouts import ReadTimeout
from servicekit.problems import Unavailable

SLOW_STATEMENT = text("SELECT pg_sleep(1)")


@pytest.fixture
def pool(
    postgres_url_factory: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """A pool with a short read time-out."""
    monkeypatch.setattr(database, "READ_TIMEOUT", 0.1)
    pool = Database(postgres_url_factory(), connections=2, application="tests")
    yield pool
    pool.close()


def exceed_read_timeout(pool: Database) -> None:
    """Run a statement that exceeds the read time-out."""
    with pool.autocommit() as connection:
        connection.execute(SLOW_STATEMENT)


def test_read_timeout_ends_the_statement_and_discards_its_connection(pool: Database) -> None:
    with pytest.raises(OperationalError) as caught:
        exceed_read_timeout(pool)
    assert isinstance(caught.value.orig, ReadTimeout)
    assert caught.value.connection_invalidated
    pool.ping()  # on another connection


def test_open_circuit_admits_one_caller_and_rejects_others_immediately(pool: Database) -> None:
    with pytest.raises(DBAPIError):
        exceed_read_timeout(pool)
    probing, release = threading.Event(), threading.Event()

    def probe() -> None:
        with pool.autocommit():
            probing.set()
            release.wait(10)

    with ThreadPoolExecutor(1) as other:
        probe_result = other.submit(probe)
        assert probing.wait(10)
        with pytest.raises(Unavailable):
            pool.ping()
        release.set()
        probe_result.result()
    pool.ping()
    with pool.autocommit(), pool.autocommit():
        pass  # the circuit is closed again


def test_database_error_does_not_open_the_circuit(pool: Database) -> None:
    with pytest.raises(DBAPIError), pool.transaction() as connection:
        connection.execute(text("SELECT 1/0"))
    with pool.autocommit(), pool.autocommit():
        pass
