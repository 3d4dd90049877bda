"""A database that hangs: whoever waits is let go, few wait at all, and it is taken up again."""

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

HANGS = text("SELECT pg_sleep(1)")


@pytest.fixture
def pool(
    postgres_url_factory: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """A pool that waits for an answer much shorter than usual."""
    monkeypatch.setattr(database, "READ_TIMEOUT", 0.1)
    pool = Database(postgres_url_factory(), connections=2, application="tests")
    yield pool
    pool.close()


def wait_for_nothing(pool: Database) -> None:
    """Wait for an answer that does not come in time."""
    with pool.autocommit() as connection:
        connection.execute(HANGS)


def test_a_statement_without_an_answer_ends_and_its_connection_is_given_up(pool: Database) -> None:
    with pytest.raises(OperationalError) as caught:
        wait_for_nothing(pool)
    assert isinstance(caught.value.orig, ReadTimeout)
    assert caught.value.connection_invalidated
    pool.ping()  # on another connection


def test_while_it_hangs_one_caller_tries_and_the_others_are_told_at_once(pool: Database) -> None:
    with pytest.raises(DBAPIError):
        wait_for_nothing(pool)
    trying, release = threading.Event(), threading.Event()

    def try_long() -> None:
        with pool.autocommit():
            trying.set()
            release.wait(10)

    with ThreadPoolExecutor(1) as other:
        trial = other.submit(try_long)
        assert trying.wait(10)
        with pytest.raises(Unavailable):
            pool.ping()
        release.set()
        trial.result()
    pool.ping()
    with pool.autocommit(), pool.autocommit():
        pass  # everybody is let in again


def test_an_error_of_the_database_is_an_answer(pool: Database) -> None:
    with pytest.raises(DBAPIError), pool.transaction() as connection:
        connection.execute(text("SELECT 1/0"))
    with pool.autocommit(), pool.autocommit():
        pass
