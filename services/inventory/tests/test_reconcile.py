"""The comparison with the owners: what they have no more goes, and nothing goes on a guess."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from inventory import reconcile, repository
from inventory.repository import BATCH
from neighbours import HANG_UP, NONSENSE, Owner
from servicekit import logs
from servicekit.database import Database, driver_url
from servicekit.testing import Issuer, environment

NOW = ("--grace", "0")
AWAY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Run:
    """How one run of the command went."""

    code: int
    report: dict[str, Any]
    told: str


Command = Callable[..., Run]


@pytest.fixture(scope="module")
def url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database with nobody else's entries."""
    return migrated_url_factory("inventory")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """That database, empty."""
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE inventory_items, gone, reconciliation"))
    yield engine
    engine.dispose()


@pytest.fixture
def run(
    settings: dict[str, str],
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """The command, in this process; it takes arguments, and settings that differ."""
    monkeypatch.setattr(logs, "configure", lambda *_: None)  # the tests' logging stays as it is

    def run(*arguments: str, **changes: str) -> Run:
        monkeypatch.setattr(sys, "argv", ["reconcile", *arguments])
        changed = {**settings, "DATABASE_URL": url, **changes}
        with environment(**changed), pytest.raises(SystemExit) as end:
            reconcile.main()
        out, err = capsys.readouterr()
        return Run(int(end.value.code or 0), json.loads(out) if out else {}, err)

    return run


def bought(
    engine: Engine, client_id: int, product_id: int, *, times: int = 1, realm: str = "live"
) -> None:
    """Put entries into the database, as a backup that is restored does."""
    statement = text(
        "INSERT INTO inventory_items"
        " (realm, client_id, product_id, product_name, number_of_items, purchase_date)"
        " SELECT :realm, :client, :product, 'Teclado', 1, now() FROM generate_series(1, :times)"
    )
    values = {"realm": realm, "client": client_id, "product": product_id, "times": times}
    with engine.begin() as connection:
        connection.execute(statement, values)


def left(engine: Engine) -> list[tuple[int, int]]:
    """Return the client and the product of every entry."""
    statement = text("SELECT client_id, product_id FROM inventory_items ORDER BY id")
    with engine.begin() as connection:
        return [(row.client_id, row.product_id) for row in connection.execute(statement)]


def gone(engine: Engine) -> list[tuple[str, int]]:
    """Return the list of the gone."""
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT kind, subject_id FROM gone"))
        return [(row.kind, row.subject_id) for row in rows]


@pytest.mark.parametrize("kind", ["client", "product"])
def test_the_entries_of_what_is_gone_are_found_told_and_removed(
    engine: Engine, run: Command, clients: Owner, products: Owner, kind: str
) -> None:
    there = (clients.make(), products.make())
    old = (clients.make(), there[1]) if kind == "client" else (there[0], products.make())
    bought(engine, *there)
    bought(engine, *old, times=3)
    assert run(*NOW).report["removed_rows"] == 0
    subject = old[0] if kind == "client" else old[1]
    (clients if kind == "client" else products).delete(subject)
    other = "product" if kind == "client" else "client"
    done = run(*NOW)
    assert done.code == 0
    assert done.report == {
        "dry_run": False,
        "complete": True,
        "checked": {kind: 2, other: 1},
        "missing": {kind: 1, other: 0},
        "inventory_orphan_rows": 3,
        "removed_rows": 3,
    }
    assert left(engine) == [there]
    assert gone(engine) == [(kind, subject)]  # so that an open addition is refused
    again = run(*NOW)
    assert (again.code, again.report["inventory_orphan_rows"]) == (0, 0)


def test_a_dry_run_only_counts(
    engine: Engine, run: Command, clients: Owner, products: Owner
) -> None:
    orphan = (clients.make(), products.make())
    clients.delete(orphan[0])
    bought(engine, *orphan)
    done = run("--dry-run", *NOW)
    assert done.code == 1
    assert done.report["dry_run"] is done.report["complete"] is True
    assert (done.report["inventory_orphan_rows"], done.report["removed_rows"]) == (1, 0)
    assert left(engine) == [orphan]
    assert gone(engine) == []


def test_who_watches_is_told_what_the_last_whole_comparison_found(
    engine: Engine, url: str, run: Command, clients: Owner, products: Owner
) -> None:
    def told() -> dict[str, float]:
        with closing(Database(url, connections=1, application="tests")) as database:
            return {fact.name: fact.value for fact in repository.facts(database)}

    assert told() == {}
    orphan = (clients.make(), products.make())
    clients.delete(orphan[0])
    bought(engine, *orphan, times=2)
    run(*NOW)
    first = told()
    assert (first["inventory_orphan_rows"], first["inventory_orphan_rows_removed"]) == (2, 2)
    run(*NOW)
    second = told()
    assert second["inventory_orphan_rows"] == 0
    assert second["inventory_reconciled_timestamp_seconds"] > first.popitem()[1]
    bought(engine, clients.make(), products.make())
    with clients.doing(503):
        run(*NOW)
    assert told() == second  # nothing is known of a comparison that came to no end


def test_nothing_is_removed_when_an_owner_misses_too_much(
    engine: Engine,
    run: Command,
    clients: Owner,
    products: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "BATCH", 2)
    product_id = products.make()
    buyers = [clients.make() for _ in range(8)]
    for client_id in buyers:
        bought(engine, client_id, product_id)
        clients.delete(client_id)
    done = run("--at-most", "3", *NOW)
    assert done.code == 1
    assert done.report["missing"]["client"] == 4  # and the others were not even asked for
    assert done.report["removed_rows"] == 0
    assert len(left(engine)) == 8
    done = run("--at-most", "8", *NOW)
    assert (done.code, done.report["removed_rows"]) == (0, 8)
    assert left(engine) == []


def test_every_batch_of_ids_is_asked_for(
    engine: Engine,
    run: Command,
    clients: Owner,
    products: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "BATCH", 3)
    product_id = products.make()
    buyers = [clients.make() for _ in range(10)]
    for client_id in buyers:
        bought(engine, client_id, product_id, times=2)
    for client_id in buyers[::3]:
        clients.delete(client_id)
    done = run(*NOW)
    assert done.report["checked"] == {"client": 10, "product": 1}
    assert done.report["removed_rows"] == 8
    assert {client_id for client_id, _ in left(engine)} == set(buyers) - set(buyers[::3])


def test_more_entries_than_one_transaction_removes_are_removed(
    engine: Engine, run: Command, clients: Owner, products: Owner
) -> None:
    client_id, product_id = clients.make(), products.make()
    products.delete(product_id)
    bought(engine, client_id, product_id, times=BATCH + 1)
    assert run(*NOW).report["removed_rows"] == BATCH + 1
    assert left(engine) == []


@pytest.mark.parametrize("what", [503, 401, 404, HANG_UP, NONSENSE])
@pytest.mark.parametrize("kind", ["clients", "products"])
def test_an_owner_that_does_not_answer_costs_no_entry(
    engine: Engine, run: Command, clients: Owner, products: Owner, kind: str, what: int | str
) -> None:
    owner = {"clients": clients, "products": products}[kind]
    entry = (clients.make(), products.make())
    bought(engine, *entry)
    owner.delete(entry[0] if kind == "clients" else entry[1])
    with owner.doing(what):
        done = run(*NOW)
    assert done.code == 75
    assert done.told.startswith(f"cannot compare: The {kind} service does not answer")
    assert done.report["complete"] is False
    assert done.report["removed_rows"] == 0
    assert left(engine) == [entry]
    assert run(*NOW).report["removed_rows"] == 1  # once it does


def test_one_failure_is_asked_again(
    engine: Engine, run: Command, clients: Owner, products: Owner
) -> None:
    entry = (clients.make(), products.make())
    bought(engine, *entry)
    with clients.doing(503, times=1), products.doing(HANG_UP, times=1):
        assert run(*NOW).code == 0
    assert left(engine) == [entry]


def test_what_monitors_added_is_not_compared_and_stays(
    engine: Engine, run: Command, clients: Owner, products: Owner
) -> None:
    theirs = (clients.make(realm="synthetic"), products.make(realm="synthetic"))
    orphan = (clients.make(), products.make())
    clients.delete(orphan[0])
    bought(engine, *theirs, realm="synthetic")
    bought(engine, *orphan)
    done = run(*NOW)
    assert done.report["checked"] == {"client": 1, "product": 0}
    assert left(engine) == [theirs]


def test_the_relays_may_come_first(
    engine: Engine,
    run: Command,
    clients: Owner,
    products: Owner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = (clients.make(), products.make())
    clients.delete(entry[0])
    bought(engine, *entry)

    def relay(_: float) -> None:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM inventory_items"))

    monkeypatch.setattr("inventory.reconcile.time.sleep", relay)
    done = run("--grace", "60")
    assert done.code == 0
    assert done.report["missing"]["client"] == 1
    assert (done.report["inventory_orphan_rows"], done.report["removed_rows"]) == (0, 0)


def test_owners_see_the_services_own_token_and_one_id_for_the_whole_run(
    engine: Engine, run: Command, clients: Owner, products: Owner
) -> None:
    bought(engine, clients.make(), products.make())
    run(*NOW)
    asked = [clients.requests[-1], products.requests[-1]]
    assert asked[0]["Authorization"] == asked[1]["Authorization"]
    (identifier,) = {headers["X-Request-ID"] for headers in asked}
    assert identifier.startswith("reconcile-")


def test_a_token_that_does_not_allow_the_question_is_told(
    engine: Engine,
    run: Command,
    clients: Owner,
    products: Owner,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = (clients.make(), products.make())
    bought(engine, *entry)
    clients.delete(entry[0])
    monkeypatch.setattr(issuer, "service_scope", "products:exists")
    done = run(*NOW)
    assert done.code == 77
    assert "clients:" in done.told
    assert left(engine) == [entry]


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
    engine: Engine,
    run: Command,
    clients: Owner,
    products: Owner,
    changes: dict[str, str],
    told: str,
) -> None:
    entry = (clients.make(), products.make())
    bought(engine, *entry)
    done = run(*NOW, **changes)
    assert done.code == 75
    assert told in done.told
    assert "127.0.0.1" not in done.told
    assert done.report["complete"] is False
    assert left(engine) == [entry]


def test_a_setting_that_is_wrong_is_named(run: Command) -> None:
    done = run(CLIENTS_URL="clients:8000")
    assert done.code == 78
    assert "CLIENTS_URL" in done.told


def test_the_command_prints_a_line_of_json_and_logs_beside_it(
    engine: Engine, settings: dict[str, str], url: str, clients: Owner, products: Owner
) -> None:
    bought(engine, clients.make(), products.make())
    with products.doing(503, times=1):
        done = subprocess.run(
            [sys.executable, "-m", "inventory.reconcile"],
            env={**os.environ, **settings, "DATABASE_URL": url},
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
