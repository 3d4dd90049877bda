"""Tests that the messages which the cluster tests expect still exist in the code."""

import pytest
import yaml

from tests.e2e import failed_upgrades, skaffold
from tests.operator import validation
from tests.operator.namespace import CRD_FILE
from tests.support.commands import ROOT

SERVICEKIT = ROOT / "services" / "servicekit" / "src" / "servicekit"
GENERATED = ("in body should match", "Unsupported value", "Required value", "spec.")


def test_skaffold_changes_an_existing_line() -> None:
    assert skaffold.OLD in (ROOT / skaffold.CHANGED).read_text()


def test_the_wait_for_migrations_reports_the_expected_reason() -> None:
    reason = failed_upgrades.WAITING.removeprefix("clients: waiting: ")
    assert reason in (SERVICEKIT / "db" / "wait_for_migrations.py").read_text()
    assert "cannot migrate " in (SERVICEKIT / "db" / "migrate.py").read_text()


@pytest.mark.parametrize(
    "message",
    [text for _, text in validation.SCHEMA if not any(part in text for part in GENERATED)],
)
def test_the_crd_has_the_expected_message(message: str) -> None:
    assert message in str(yaml.safe_load(CRD_FILE.read_text()))
