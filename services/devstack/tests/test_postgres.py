"""The database's processes, when they did not end as they should."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from devstack.postgres import Postgres, PostgresError
from servicekit.testing import wait_until


@pytest.fixture
def server(data_folder: Path) -> Iterator[Postgres]:
    """A server of its own."""
    data_folder.mkdir()
    data_folder.chmod(0o711)
    server = Postgres(data_folder / "pg", data_folder / "postgres.log")
    server.initialise()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def left(server: Postgres) -> Iterator[psutil.Process]:
    """A session's process that is left, and hangs, of a server that was killed."""
    assert server.process is not None
    with closing(psycopg2.connect(server.url("postgres"))) as connection:
        session = psutil.Process(connection.get_backend_pid())
        session.suspend()
        server.process.kill()
        server.process.wait()
        yield session
        if session.is_running():
            session.kill()


def test_a_start_waits_for_what_is_left_of_a_server_that_was_killed(
    server: Postgres, left: psutil.Process
) -> None:
    before = server.log.stat().st_size

    def end() -> None:
        wait_until(lambda: "is still in use" in server.log.read_text()[before:], "a vain attempt")
        left.kill()

    ending = threading.Thread(target=end)  # the server ends with the thread that started it
    ending.start()
    server.start()
    ending.join()
    assert server.answers()


def test_a_start_does_not_wait_for_ever(server: Postgres, left: psutil.Process) -> None:
    assert left.is_running()
    with pytest.raises(PostgresError, match="did not start"):
        server.start(wait=1)
