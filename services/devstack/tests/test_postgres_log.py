"""PostgreSQL's log has no statements, not even those of a crash, and is closed to others."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from subprocess import PIPE

import psycopg2
import pytest

from devstack import postgres_log_filter
from devstack.postgres import Postgres
from devstack.pytest_postgres import FAST_SETTINGS, traversable_folder
from servicekit.testing import wait_until

NAME = "Segredo da Silva"
INSERT = "INSERT INTO people VALUES ('Segredo da Silva',\n 'segredo@example.com')"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A separate server with a table."""
    with traversable_folder() as folder:
        # a session writes its own part of the journal
        settings = {**FAST_SETTINGS, "synchronous_commit": "on"}
        server = Postgres(folder / "pg", folder / "postgres.log", settings)
        server.initialise()
        server.start()
        server.execute("CREATE TABLE people (name text, email text PRIMARY KEY)")
        yield server
        server.stop()


def assert_no_statement(server: Postgres) -> None:
    """Check the log after it has a marker that follows everything else."""
    marker = f"marker {time.monotonic_ns()}"

    def is_marked() -> bool:
        """Write the marker, after a recovery."""
        if server.has_exited():
            server.start()
        with suppress(psycopg2.OperationalError):
            server.execute(f"DO $$ BEGIN RAISE WARNING '{marker}'; END $$")
        return marker in server.log.read_text()

    wait_until(is_marked, "the log to be complete")
    log = server.log.read_text()
    assert NAME not in log
    assert "segredo@" not in log


def test_the_statement_of_a_panic_is_not_logged(server: Postgres) -> None:
    wal = server.folder / "pg_wal"
    with closing(psycopg2.connect(server.url("postgres"))) as connection:
        wal.rename(server.folder / "pg_wal.away")  # a write to the journal now panics
        connection.autocommit = True
        with pytest.raises(psycopg2.OperationalError):
            connection.cursor().execute(INSERT)
    (server.folder / "pg_wal.away").rename(wal)
    wait_until(lambda: "PANIC:" in server.log.read_text(), "the panic to be logged")
    assert_no_statement(server)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_the_statement_of_a_killed_session_is_not_logged(
    server: Postgres, number: signal.Signals
) -> None:
    with closing(psycopg2.connect(server.url("postgres"))) as connection:

        def run() -> None:
            with pytest.raises(psycopg2.OperationalError):
                connection.cursor().execute(f"SELECT pg_sleep(60), '{NAME}'")

        running = threading.Thread(target=run)
        running.start()
        active = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        wait_until(lambda: bool(server.execute(active)), "the statement to run")
        os.kill(connection.get_backend_pid(), number)
        running.join()
    ended = f"was terminated by signal {int(number)}"
    wait_until(lambda: ended in server.log.read_text(), "the end to be logged")
    assert_no_statement(server)


@pytest.mark.parametrize(
    "statement",
    [
        f"{INSERT}; {INSERT}",  # a duplicate
        "SELECT 'Segredo da Silva' FROM nothing",
        f"DO $$ BEGIN RAISE WARNING 'noticed' USING DETAIL = '{NAME}'; END $$",
        "INSERT INTO people SELECT 'Segredo da Silva', NULL",
    ],
)
def test_the_values_of_a_failed_statement_are_not_logged(server: Postgres, statement: str) -> None:
    with suppress(psycopg2.Error):
        server.execute(statement)
    assert_no_statement(server)


def test_logs_and_data_are_closed_to_other_accounts(server: Postgres) -> None:
    assert server.log.stat().st_mode & 0o077 == 0
    assert server.folder.stat().st_mode & 0o077 == 0


def test_a_log_of_an_earlier_release_is_closed_to_other_accounts(data_folder: Path) -> None:
    data_folder.mkdir()
    log = data_folder / "postgres.log"
    log.touch(0o644)
    server = Postgres(data_folder / "pg", log, FAST_SETTINGS)
    server.initialise()
    assert log.stat().st_mode & 0o077 == 0


def test_a_line_that_a_full_disk_has_cut_is_not_joined_to_the_next(tmp_path: Path) -> None:
    command = [sys.executable, postgres_log_filter.__file__]
    log = tmp_path / "postgres.log"
    with (
        log.open("ab") as output,
        subprocess.Popen(command, stdin=PIPE, stdout=output) as filtering,
    ):
        assert filtering.stdin is not None
        no_limit = resource.prlimit(filtering.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(filtering.pid, resource.RLIMIT_FSIZE, (9, no_limit[1]))
        filtering.stdin.write(b"a line of some length\n")
        filtering.stdin.flush()
        wait_until(lambda: log.stat().st_size == 9, "the line to be cut")
        resource.prlimit(filtering.pid, resource.RLIMIT_FSIZE, no_limit)
        filtering.stdin.write(b"the next line\n")
    assert log.read_text() == "a line of\nthe next line\n"
