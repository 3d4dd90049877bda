"""Migration command: concurrent runs, newer databases and failures."""

import subprocess
import sys

import pytest
from sqlalchemy import create_engine, inspect, text

from servicekit.db import migrate, wait_for_migrations
from servicekit.db.database import Database, driver_url

pytestmark = pytest.mark.covers_subprocesses


def ends_with(*arguments: str) -> int:
    """Run the command and return its exit code."""
    try:
        migrate.main("clients", list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_migrates_an_empty_database_once(url: str) -> None:
    assert wait_for_migrations.pending_reason(url, "clients", 0)
    assert ends_with() == 0
    assert not wait_for_migrations.pending_reason(url, "clients", 0)
    assert ends_with() == 0  # no effect
    engine = create_engine(driver_url(url))
    assert "clients" in inspect(engine).get_table_names()
    engine.dispose()


def test_leaves_a_database_of_a_newer_release_unchanged(url: str) -> None:
    assert ends_with() == 0
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'clients_9999'"))
    assert not wait_for_migrations.pending_reason(url, "clients", 0)
    assert ends_with() == 0
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "clients_9999"
    engine.dispose()


def test_concurrent_migrations_run_one_after_the_other(url: str) -> None:
    command = [sys.executable, "-m", "clients.migrate"]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert not wait_for_migrations.pending_reason(url, "clients", 0)


def test_waiting_for_another_migration_is_reported(url: str) -> None:
    with create_engine(driver_url(url)).connect() as holder:
        holder.execute(text(f"SELECT pg_advisory_lock({migrate.ADVISORY_LOCK})"))
        waiting = subprocess.Popen(
            [sys.executable, "-m", "clients.migrate"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert waiting.stderr
        with waiting.stderr as lines:
            assert lines.readline() == "waiting for another migration of this database\n"
            holder.execute(text("SELECT pg_advisory_unlock_all()"))
            assert lines.read() == ""
    assert waiting.wait(60) == 0


@pytest.mark.parametrize(
    ("options", "idle"), [("", "30"), ("options=-ctcp_keepalives_idle%3D5", "5")]
)
def test_the_server_soon_notices_a_dead_client(url: str, options: str, idle: str) -> None:
    given = f"{url}{'&' if '?' in url else '?'}{options}" if options else url
    engine = create_engine(driver_url(given))  # of migrations
    database = Database(given, connections=1, application="tests")
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    # a Unix socket has no keep-alive: the value in effect is 0
    reset = text("SELECT name, reset_val FROM pg_settings WHERE name = ANY(:names)")
    for connect in (engine.connect, database.autocommit):
        with connect() as connection:
            rows = connection.execute(reset, {"names": list(names)}).all()
        assert {tuple(row) for row in rows} == set(zip(names, (idle, "10", "3"), strict=True))
    database.close()
    engine.dispose()


def test_sql_option_prints_the_sql(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with("--sql") == 0
    assert "CREATE TABLE clients" in capsys.readouterr().out


def test_missing_url_is_reported_as_a_missing_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert ends_with() == 78


def test_reports_an_unavailable_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@127.0.0.1:9/nothing")
    monkeypatch.setattr(migrate, "MAX_ATTEMPTS", 1)
    assert ends_with() == 1
    assert "cannot migrate clients" in capsys.readouterr().err


def test_failed_migration_changes_nothing_and_prints_the_reason(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:  # other tables come before it in the history
        connection.execute(text("CREATE TABLE clients (id int)"))
    assert ends_with() == 1
    error = capsys.readouterr().err
    assert error.startswith("cannot migrate clients: ")
    assert 'relation "clients" already exists' in error
    assert inspect(engine).get_table_names() == ["clients"]
    engine.dispose()
