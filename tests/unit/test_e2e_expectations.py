"""Tests that the messages which the cluster tests expect still exist in the code."""

from tests.e2e import failed_upgrades, skaffold
from tests.support.commands import ROOT

SERVICEKIT = ROOT / "services" / "servicekit" / "src" / "servicekit"


def test_skaffold_changes_an_existing_line() -> None:
    assert skaffold.OLD in (ROOT / skaffold.CHANGED).read_text()


def test_the_wait_for_migrations_reports_the_expected_reason() -> None:
    reason = failed_upgrades.WAITING.removeprefix("clients: waiting: ")
    assert reason in (SERVICEKIT / "db" / "wait_for_migrations.py").read_text()
    assert "cannot migrate " in (SERVICEKIT / "db" / "migrate.py").read_text()
