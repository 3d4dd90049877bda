"""Failures of the reconciliation remove no entries, and are reported."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from inventory import reconcile
from servicekit.testing import FakeIssuer
from tests.support.inventory.fake_owners import DROP, INVALID_BODY
from tests.support.inventory.inventory_rows import NO_GRACE, Command, InventoryRows

UNAVAILABLE = "http://127.0.0.1:9"


@pytest.mark.parametrize("fault", [503, 401, 404, DROP, INVALID_BODY])
@pytest.mark.parametrize("kind", ["client", "product"])
def test_a_failing_service_causes_no_removal(
    entries: InventoryRows, run: Command, kind: str, fault: int | str
) -> None:
    owner = {"client": entries.clients, "product": entries.products}[kind]
    entry = entries.add_orphan(kind)
    with owner.injecting(fault):
        done = run(*NO_GRACE)
    assert done.code == 75
    assert done.stderr.startswith(f"cannot reconcile: The {kind}s service does not answer")
    assert done.report["complete"] is False
    assert done.report["removed_rows"] == 0
    assert entries.pairs() == [entry]
    assert run(*NO_GRACE).report["removed_rows"] == 1  # after its recovery


def test_a_failed_call_is_repeated_once(entries: InventoryRows, run: Command) -> None:
    entry = entries.add()
    with entries.clients.injecting(503, times=1), entries.products.injecting(DROP, times=1):
        assert run(*NO_GRACE).code == 0
    assert entries.pairs() == [entry]


def test_calls_carry_the_service_token_and_one_request_id(
    entries: InventoryRows, run: Command
) -> None:
    entries.add()
    run(*NO_GRACE)
    requests = [entries.clients.requests[-1], entries.products.requests[-1]]
    assert requests[0]["Authorization"] == requests[1]["Authorization"]
    (identifier,) = {headers["X-Request-ID"] for headers in requests}
    assert identifier.startswith("reconcile-")


def test_a_missing_scope_is_reported(
    entries: InventoryRows, run: Command, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entries.add_orphan()
    monkeypatch.setattr(issuer, "service_scope", "products:exists")
    done = run(*NO_GRACE)
    assert done.code == 77
    assert "clients:" in done.stderr
    assert entries.pairs() == [entry]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"TOKEN_URL": f"{UNAVAILABLE}/users/token"}, "auth"),
        ({"CLIENTS_URL": UNAVAILABLE}, "clients"),
        ({"PRODUCTS_URL": UNAVAILABLE}, "products"),
        ({"DATABASE_URL": "postgresql://postgres@127.0.0.1:9/nothing"}, "database"),
    ],
)
def test_the_error_names_the_unavailable_part(
    entries: InventoryRows, run: Command, changes: dict[str, str], name: str
) -> None:
    entry = entries.add()
    done = run(*NO_GRACE, **changes)
    assert done.code == 75
    assert name in done.stderr
    assert "127.0.0.1" not in done.stderr
    assert done.report["complete"] is False
    assert entries.pairs() == [entry]


def test_the_error_has_the_reason_of_the_database(
    run: Command, postgres_url_factory: Callable[[], str]
) -> None:
    done = run(*NO_GRACE, DATABASE_URL="postgresql://postgres@127.0.0.1:9/nothing")
    assert "the database is unavailable: Connection refused" in done.stderr
    done = run(*NO_GRACE, DATABASE_URL=postgres_url_factory())
    assert done.code == 70
    assert "the database rejected a statement: relation" in done.stderr


def test_the_error_names_an_invalid_setting(run: Command) -> None:
    done = run(CLIENTS_URL="clients:8000")
    assert done.code == 78
    assert "CLIENTS_URL" in done.stderr


def test_the_command_prints_a_line_of_json_and_logs_to_stderr(
    entries: InventoryRows, settings: dict[str, str], reconciled_url: str
) -> None:
    entries.add()
    with entries.products.injecting(503, times=1):
        done = subprocess.run(
            [sys.executable, "-m", "inventory.reconcile"],
            env={**os.environ, **settings, "DATABASE_URL": reconciled_url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checked"] == {"client": 1, "product": 1}
    (logged,) = map(json.loads, done.stderr.splitlines())
    assert (logged["service"], logged["level"]) == ("inventory-reconcile", "WARNING")


def test_the_help_lists_the_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["reconcile", "--help"])
    with pytest.raises(SystemExit) as end:
        reconcile.main()
    assert not end.value.code
    output = capsys.readouterr().out
    for word in ("--dry-run", "--at-most", "--grace", "75", "77", "78"):
        assert word in output
