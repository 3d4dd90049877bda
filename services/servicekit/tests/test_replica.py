"""Reads on a streaming replica, and on the primary when the replica cannot be used."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from servicekit.db.database import Database
from servicekit.db.replica import open_database
from servicekit.testing import wait_until
from tests.support.replication import Replication, replication

IS_REPLICA = text("SELECT pg_is_in_recovery()")
READS, FALLBACKS = "cadastro_database_replica_reads", "cadastro_database_replica_fallbacks"


@pytest.fixture
def servers() -> Iterator[Replication]:
    """A primary and its replica."""
    with replication() as servers:
        yield servers


@pytest.fixture
def database(servers: Replication) -> Iterator[Database]:
    """A database with a replica, and an empty table."""
    servers.primary.execute("CREATE TABLE notes (text text)")
    urls = (servers.primary.url("postgres"), servers.replica.url("postgres"))
    database = open_database(*urls, connections=2, application="tests")
    yield database
    database.close()


def is_on_replica(database: Database) -> bool:
    """Return whether a read runs on the replica."""
    return bool(database.read(lambda connection: connection.scalar(IS_REPLICA)))


def counted(database: Database) -> dict[str, float]:
    """Return the counters of reads."""
    return {each.name: each.read() for each in database.instruments() if each.is_counter}


def test_a_replica_that_hangs_delays_no_read_until_it_responds_again(
    servers: Replication, database: Database
) -> None:
    wait_until(lambda: is_on_replica(database), "the replica to be used")
    before = counted(database)
    with servers.hung():
        assert not is_on_replica(database)
        assert not is_on_replica(database)
    while_hung = counted(database)
    assert while_hung == {READS: before[READS], FALLBACKS: before[FALLBACKS] + 2}
    wait_until(lambda: is_on_replica(database), "the replica to be used again")
    assert counted(database)[READS] == while_hung[READS] + 1


def test_a_promoted_replica_is_not_used(servers: Replication, database: Database) -> None:
    wait_until(lambda: is_on_replica(database), "the replica to be used")
    servers.replica.execute("SELECT pg_promote()")
    servers.replica.execute("INSERT INTO notes VALUES ('of another timeline')")
    assert database.read(lambda c: c.execute(text("SELECT * FROM notes")).all()) == []


def test_a_primary_that_became_a_replica_still_serves_reads(servers: Replication) -> None:
    url = servers.replica.url("postgres")
    database = open_database(url, url, connections=1, application="tests")
    assert is_on_replica(database)
    database.close()


def test_a_statement_that_is_too_slow_for_the_replica_is_not_repeated_on_the_primary(
    database: Database,
) -> None:
    wait_until(lambda: is_on_replica(database), "the replica to be used")
    ran_on_replica = []

    def read(connection: Connection) -> None:
        ran_on_replica.append(connection.scalar(IS_REPLICA))
        connection.execute(text("SET statement_timeout = 10"))
        connection.execute(text("SELECT pg_sleep(1)"))

    with pytest.raises(OperationalError, match="statement timeout"):
        database.read(read)
    assert ran_on_replica == [True]
