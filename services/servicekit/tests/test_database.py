"""Database pool: closed connections, autocommit statements and transactions."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from psycopg2.extensions import parse_dsn
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from servicekit.db.database import Database, driver_url
from servicekit.db.pool import is_read_only
from servicekit.db.wait_for_migrations import pending_reason

# the first of two hosts is down
FORMS = [
    "postgresql://{user}@{quoted}:{port}/{dbname}",
    "postgresql+psycopg2://{user}@{quoted}:{port}/{dbname}",
    "postgresql://{user}@127.0.0.1:9,{quoted}:{port}/{dbname}",
    "postgresql://{user}@127.0.0.1:9,{quoted}:{port}/{dbname}?target_session_attrs=read-write",
    "postgresql+psycopg2://{user}@/{dbname}?host=127.0.0.1,{host}&port=9,{port}",
    "postgresql:///{dbname}?user={user}&host={host}&port={port}&connect_timeout=2",
    "postgresql://{user}@127.0.0.1,{quoted}:{port}/{dbname}",
]
BACKEND = text("SELECT pg_backend_pid()")
OTHERS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def url(postgres_url_factory: Callable[[], str]) -> str:
    """An empty database."""
    return postgres_url_factory()


@pytest.fixture
def pool(url: str) -> Iterator[Database]:
    """A pool of one connection."""
    pool = Database(url, connections=1, application="tests")
    yield pool
    pool.close()


@pytest.fixture
def other(url: str) -> Iterator[Database]:
    """A second pool on the same database."""
    other = Database(url, connections=1, application="others")
    yield other
    other.close()


def backend(pool: Database) -> int:
    """Return the process id of the server backend of the pool."""
    with pool.autocommit() as connection:
        return int(connection.execute(BACKEND).scalar_one())


@pytest.mark.parametrize("form", FORMS)
def test_service_and_wait_read_a_url_in_the_same_way(url: str, form: str) -> None:
    given = {"port": "5432", **parse_dsn(url)}
    spelt = form.format(**given, quoted=quote(given["host"], safe=""))
    assert pending_reason(spelt, "clients", 0) == "the database is not migrated to this release"
    pool = Database(spelt, connections=1, application="tests")
    assert backend(pool) > 0
    pool.close()


def test_a_password_is_hidden_and_decoded(url: str) -> None:
    named = driver_url(f"{url}&password=p%40s%2Bs")
    assert "p@s" not in repr(named)
    assert named.password == "p@s+s"


def test_replaces_a_connection_that_the_server_closed(pool: Database, other: Database) -> None:
    before = backend(pool)
    with other.autocommit() as connection:
        assert connection.execute(OTHERS).scalar_one() is True
    assert backend(pool) != before


def test_reuses_the_connection_after_a_statement_and_a_transaction(
    pool: Database,
) -> None:
    before = backend(pool)
    with pool.transaction() as connection:
        assert connection.execute(BACKEND).scalar_one() == before
    assert backend(pool) == before


def test_waiting_caller_gets_the_released_connection(pool: Database) -> None:
    before = backend(pool)
    with ThreadPoolExecutor(1) as another:
        with pool.autocommit():
            waiting = another.submit(backend, pool)
            time.sleep(0.2)  # it has begun to wait
            assert not waiting.done()
        assert waiting.result() == before
    assert backend(pool) == before


def test_reuses_the_connection_after_an_error(pool: Database) -> None:
    before = backend(pool)
    with pytest.raises(ZeroDivisionError), pool.autocommit():
        raise ZeroDivisionError
    with pytest.raises(DBAPIError), pool.autocommit() as connection:
        connection.execute(text("SELECT 1/0"))
    assert backend(pool) == before


def test_cached_connection_does_not_count_as_in_use(pool: Database) -> None:
    in_use = next(
        each for each in pool.instruments() if each.name == "cadastro_database_connections_in_use"
    )
    assert in_use.read() == 0
    with pool.autocommit():
        assert in_use.read() == 1
    assert in_use.read() == 0


def test_each_autocommit_statement_is_visible_immediately(pool: Database, other: Database) -> None:
    with pool.autocommit() as connection:
        connection.execute(text("CREATE TABLE things (id int)"))
        connection.execute(text("INSERT INTO things VALUES (1)"))
        assert count(other) == 1


def test_transaction_is_visible_after_its_commit(pool: Database, other: Database) -> None:
    with pool.autocommit() as connection:
        connection.execute(text("CREATE TABLE things (id int)"))
    with pool.transaction() as connection:
        connection.execute(text("INSERT INTO things VALUES (1)"))
        assert count(other) == 0
    assert count(other) == 1


def test_failed_transaction_is_rolled_back_and_autocommit_resumes(
    pool: Database, other: Database
) -> None:
    with pool.autocommit() as connection:
        connection.execute(text("CREATE TABLE things (id int)"))
    with pytest.raises(ZeroDivisionError):
        insert_and_fail(pool)
    assert count(other) == 0
    with pool.autocommit() as connection:
        connection.execute(text("INSERT INTO things VALUES (2)"))
        assert count(other) == 1


def insert_and_fail(pool: Database) -> None:
    """Raise an error in a transaction that has written."""
    with pool.transaction() as connection:
        connection.execute(text("INSERT INTO things VALUES (1)"))
        raise ZeroDivisionError


def count(pool: Database) -> int:
    """Return the number of rows of ``things``."""
    with pool.autocommit() as connection:
        return int(connection.execute(text("SELECT count(*) FROM things")).scalar_one())


def test_terminated_session_always_invalidates_the_connection(
    pool: Database, other: Database
) -> None:
    ended = threading.Event()

    def end_sessions() -> None:
        while not ended.is_set():
            with other.autocommit() as connection:
                connection.execute(OTHERS)

    errors: list[DBAPIError] = []
    deadline = time.monotonic() + 30
    thread = threading.Thread(target=end_sessions)
    thread.start()
    try:
        while len(errors) < 5 and time.monotonic() < deadline:
            error = error_of_a_transaction(pool)
            errors += [error] if error else []
    finally:
        ended.set()
        thread.join()
    assert errors
    assert {(type(e), e.connection_invalidated) for e in errors} == {(OperationalError, True)}
    assert backend(pool)


def error_of_a_transaction(pool: Database) -> DBAPIError | None:
    """Run a transaction and return its error, if it failed."""
    try:
        with pool.transaction() as connection:
            connection.execute(BACKEND)
    except DBAPIError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PGCLIENTENCODING", "LATIN1"),
        ("PGOPTIONS", "-c search_path=nowhere"),
        ("PGHOSTADDR", "192.0.2.1"),
    ],
)
def test_a_variable_of_libpq_changes_no_connection(
    url: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    database = Database(url, connections=1, application="tests")
    query = text("SELECT current_setting('client_encoding'), current_setting('search_path'), 'ã'")
    with database.autocommit() as connection:
        found = tuple(connection.execute(query).one())
    database.close()
    assert found == ("UTF8", '"$user", public', "ã")
    assert "not migrated" in pending_reason(url, "clients", 0)


def test_a_database_url_may_set_what_libpq_reads_from_the_environment(url: str) -> None:
    address = driver_url(f"{url}{'&' if '?' in url else '?'}client_encoding=LATIN1")
    engine = create_engine(address)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW client_encoding")) == "LATIN1"
    engine.dispose()


def test_the_options_of_a_database_url_apply_to_a_service(url: str) -> None:
    options = "options=-csearch_path%3Dshop%20-cstatement_timeout%3D0"
    database = Database(
        f"{url}{'&' if '?' in url else '?'}{options}", connections=1, application="tests"
    )
    query = text("SELECT current_setting('search_path'), current_setting('statement_timeout')")
    with database.autocommit() as connection:
        found = tuple(connection.execute(query).one())
    database.close()
    assert found == ("shop", "5s")


def test_a_connection_to_a_read_only_database_is_replaced(pool: Database) -> None:
    insert = text("CREATE TABLE later (id int)")
    with pool.autocommit() as connection:
        before = connection.scalar(BACKEND)
        connection.execute(text("SET default_transaction_read_only = on"))  # as after a failover
    with pytest.raises(DBAPIError) as caught, pool.autocommit() as connection:
        connection.execute(insert)
    assert is_read_only(caught.value)
    with pool.transaction() as connection:
        connection.execute(insert)
        assert connection.scalar(BACKEND) != before
