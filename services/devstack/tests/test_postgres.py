"""Start of PostgreSQL after its server process was killed."""

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
    """A separate server."""
    data_folder.mkdir()
    data_folder.chmod(0o711)
    server = Postgres(data_folder / "pg", data_folder / "postgres.log")
    server.initialise()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hanging_session(server: Postgres) -> Iterator[psutil.Process]:
    """A suspended session process of a killed server."""
    assert server.process is not None
    with closing(psycopg2.connect(server.url("postgres"))) as connection:
        session = psutil.Process(connection.get_backend_pid())
        session.suspend()
        server.process.kill()
        server.process.wait()
        yield session
        if session.is_running():
            session.kill()


def test_start_waits_for_processes_of_a_killed_server(
    server: Postgres, hanging_session: psutil.Process
) -> None:
    before = server.log.stat().st_size

    def end() -> None:
        wait_until(lambda: "is still in use" in server.log.read_text()[before:], "a failed start")
        hanging_session.kill()

    ending = threading.Thread(target=end)  # PDEATHSIG follows the thread that starts the server
    ending.start()
    server.start()
    ending.join()
    assert server.is_ready()


def test_start_fails_after_a_timeout(server: Postgres, hanging_session: psutil.Process) -> None:
    assert hanging_session.is_running()
    with pytest.raises(PostgresError, match="did not start"):
        server.start(timeout=1)
