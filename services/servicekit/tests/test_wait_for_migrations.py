"""Check for migrations: results, waiting and the cost of imports."""

import os
import subprocess
import sys
import threading

import pytest
from alembic.script import ScriptDirectory

from servicekit.db import migrate, wait_for_migrations

pytestmark = pytest.mark.covers_subprocesses

UNREACHABLE = "postgresql://postgres@127.0.0.1:9/nothing"


def ends_with(*arguments: str) -> int:
    """Run the command and return its exit code."""
    try:
        wait_for_migrations.main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_succeeds_only_for_a_migrated_database(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends_with("clients") == 1
    assert capsys.readouterr().err == "clients: the database is not migrated to this release\n"
    migrate.upgrade(url, migrate.configuration("clients"), "clients_0001")
    assert ends_with("clients") == 1
    migrate.upgrade(url, migrate.configuration("clients"))
    capsys.readouterr()
    assert ends_with("clients") == 0
    assert capsys.readouterr().err == ""


def test_waiting_ends_after_the_migration(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with("clients", "--wait", "0.1") == 1
    migration = threading.Timer(0.5, lambda: migrate.upgrade(url, migrate.configuration("clients")))
    migration.start()
    assert ends_with("clients", "--wait", "60") == 0
    migration.join()
    assert "waiting: the database is not migrated" in capsys.readouterr().err


def test_accepts_a_url_with_a_driver(url: str) -> None:
    named = url.replace("postgresql://", "postgresql+psycopg2://")
    assert (
        wait_for_migrations.pending_reason(named, "clients", 0)
        == wait_for_migrations.pending_reason(url, "clients", 0)
        != ""
    )
    assert "not migrated" in wait_for_migrations.pending_reason(named, "clients", 0)


def test_reports_an_unavailable_database() -> None:
    # in a separate process: the wait callback of a service in this one would change libpq's message
    ended = subprocess.run(
        [sys.executable, "-m", "servicekit.db.wait_for_migrations", "clients", "--wait", "0.1"],
        env=os.environ | {"DATABASE_URL": UNREACHABLE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "waiting: the database is unavailable: connection to server" in ended.stderr


def test_missing_url_is_reported_as_a_missing_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert ends_with("clients") == 78


def test_reports_an_unknown_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends_with("vendas") == 2
    assert "there is no package vendas with migrations" in capsys.readouterr().err


@pytest.mark.parametrize("service", ["auth", "clients", "products", "inventory"])
def test_reads_the_same_revisions_as_alembic(service: str) -> None:
    script = ScriptDirectory.from_config(migrate.configuration(service))
    known = {revision.revision for revision in script.walk_revisions()}
    assert wait_for_migrations.revisions(service) == (known, set(script.get_heads()))


def test_does_not_import_alembic_or_sqlalchemy() -> None:
    program = (
        "import sys, servicekit.db.wait_for_migrations;"
        " print({'alembic', 'sqlalchemy'} & set(sys.modules))"
    )
    imported = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert imported == "set()\n"
