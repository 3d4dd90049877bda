"""The comparison when something is wrong: nothing goes on a guess, and what is wrong is told."""

import json
import os
import subprocess
import sys

import pytest

from inventory import reconcile
from servicekit.testing import FakeIssuer
from tests.support.inventory.fake_owners import DROP, INVALID_BODY
from tests.support.inventory.reconciliation import NO_GRACE, Command, InventoryRows

AWAY = "http://127.0.0.1:9"


@pytest.mark.parametrize("what", [503, 401, 404, DROP, INVALID_BODY])
@pytest.mark.parametrize("kind", ["client", "product"])
def test_an_owner_that_does_not_answer_costs_no_entry(
    entries: InventoryRows, run: Command, kind: str, what: int | str
) -> None:
    owner = {"client": entries.clients, "product": entries.products}[kind]
    entry = entries.add_orphan(kind)
    with owner.injecting(what):
        done = run(*NO_GRACE)
    assert done.code == 75
    assert done.stderr.startswith(f"cannot compare: The {kind}s service does not answer")
    assert done.report["complete"] is False
    assert done.report["removed_rows"] == 0
    assert entries.pairs() == [entry]
    assert run(*NO_GRACE).report["removed_rows"] == 1  # once it does


def test_one_failure_is_asked_again(entries: InventoryRows, run: Command) -> None:
    entry = entries.add()
    with entries.clients.injecting(503, times=1), entries.products.injecting(DROP, times=1):
        assert run(*NO_GRACE).code == 0
    assert entries.pairs() == [entry]


def test_owners_see_the_services_own_token_and_one_id_for_the_whole_run(
    entries: InventoryRows, run: Command
) -> None:
    entries.add()
    run(*NO_GRACE)
    asked = [entries.clients.requests[-1], entries.products.requests[-1]]
    assert asked[0]["Authorization"] == asked[1]["Authorization"]
    (identifier,) = {headers["X-Request-ID"] for headers in asked}
    assert identifier.startswith("reconcile-")


def test_a_token_that_does_not_allow_the_question_is_told(
    entries: InventoryRows, run: Command, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entries.add_orphan()
    monkeypatch.setattr(issuer, "service_scope", "products:exists")
    done = run(*NO_GRACE)
    assert done.code == 77
    assert "clients:" in done.stderr
    assert entries.pairs() == [entry]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"TOKEN_URL": f"{AWAY}/users/token"}, "auth"),
        ({"CLIENTS_URL": AWAY}, "clients"),
        ({"PRODUCTS_URL": AWAY}, "products"),
        ({"DATABASE_URL": "postgresql://postgres@127.0.0.1:9/nothing"}, "database"),
    ],
)
def test_what_is_away_is_named(
    entries: InventoryRows, run: Command, changes: dict[str, str], told: str
) -> None:
    entry = entries.add()
    done = run(*NO_GRACE, **changes)
    assert done.code == 75
    assert told in done.stderr
    assert "127.0.0.1" not in done.stderr
    assert done.report["complete"] is False
    assert entries.pairs() == [entry]


def test_a_setting_that_is_wrong_is_named(run: Command) -> None:
    done = run(CLIENTS_URL="clients:8000")
    assert done.code == 78
    assert "CLIENTS_URL" in done.stderr


def test_the_command_prints_a_line_of_json_and_logs_beside_it(
    entries: InventoryRows, settings: dict[str, str], compared_url: str
) -> None:
    entries.add()
    with entries.products.injecting(503, times=1):
        done = subprocess.run(
            [sys.executable, "-m", "inventory.reconcile"],
            env={**os.environ, **settings, "DATABASE_URL": compared_url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checked"] == {"client": 1, "product": 1}
    (logged,) = map(json.loads, done.stderr.splitlines())
    assert (logged["service"], logged["level"]) == ("inventory-reconcile", "WARNING")


def test_the_help_tells_the_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["reconcile", "--help"])
    with pytest.raises(SystemExit) as end:
        reconcile.main()
    assert not end.value.code
    told = capsys.readouterr().out
    for word in ("--dry-run", "--at-most", "--grace", "75", "77", "78"):
        assert word in told
