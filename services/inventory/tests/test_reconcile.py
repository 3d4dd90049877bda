"""Reconciliation removes entries of missing clients and products, and no others."""

from contextlib import closing

import pytest
from sqlalchemy import text

from inventory import reconcile, repository
from inventory.repository import BATCH_SIZE
from servicekit.db.database import Database
from tests.support.inventory.inventory_rows import NO_GRACE, Command, InventoryRows


@pytest.mark.parametrize("kind", ["client", "product"])
def test_orphan_entries_are_counted_and_removed(
    entries: InventoryRows, run: Command, kind: str
) -> None:
    kept = entries.add()
    old = (
        (entries.clients.create(), kept[1])
        if kind == "client"
        else (kept[0], entries.products.create())
    )
    entries.insert(*old, times=3)
    assert run(*NO_GRACE).report["removed_rows"] == 0
    subject = entries.delete_owned(kind, old)
    other = "product" if kind == "client" else "client"
    done = run(*NO_GRACE)
    assert done.code == 0
    assert done.report == {
        "dry_run": False,
        "complete": True,
        "checked": {kind: 2, other: 1},
        "missing": {kind: 1, other: 0},
        "inventory_orphan_rows": 3,
        "removed_rows": 3,
        "removed_tombstones": 0,
    }
    assert entries.pairs() == [kept]
    assert entries.tombstones() == [(kind, subject)]  # against concurrent additions
    again = run(*NO_GRACE)
    assert (again.code, again.report["inventory_orphan_rows"]) == (0, 0)


def test_a_dry_run_counts_without_removing(entries: InventoryRows, run: Command) -> None:
    orphan = entries.add_orphan()
    done = run("--dry-run", *NO_GRACE)
    assert done.code == 1
    assert done.report["dry_run"] is done.report["complete"] is True
    assert (done.report["inventory_orphan_rows"], done.report["removed_rows"]) == (1, 0)
    assert entries.pairs() == [orphan]
    assert entries.tombstones() == []


def test_metrics_report_the_last_completed_reconciliation(
    entries: InventoryRows, reconciled_url: str, run: Command
) -> None:
    def read_metrics() -> dict[str, float]:
        with closing(Database(reconciled_url, connections=1, application="tests")) as database:
            return {fact.name: fact.value for fact in repository.metrics(database)}

    assert read_metrics() == {}
    entries.add_orphan(times=2)
    run(*NO_GRACE)
    first = read_metrics()
    assert (
        first["cadastro_inventory_orphan_rows"],
        first["cadastro_inventory_orphan_rows_removed"],
    ) == (2, 2)
    run(*NO_GRACE)
    second = read_metrics()
    assert second["cadastro_inventory_orphan_rows"] == 0
    assert second["cadastro_inventory_last_reconciliation_timestamp_seconds"] > first.popitem()[1]
    entries.add()
    with entries.clients.injecting(503):
        run(*NO_GRACE)
    assert read_metrics() == second  # the failed run is not reported


def test_nothing_is_removed_if_too_many_owners_are_missing(
    entries: InventoryRows, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "BATCH_SIZE", 2)
    for _ in range(8):
        entries.add_orphan()
    done = run("--at-most", "3", *NO_GRACE)
    assert done.code == 1
    assert done.report["missing"]["client"] == 4  # and the others were not checked
    assert done.report["removed_rows"] == 0
    assert len(entries.pairs()) == 8
    done = run("--at-most", "8", *NO_GRACE)
    assert (done.code, done.report["removed_rows"]) == (0, 8)
    assert entries.pairs() == []


def test_all_batches_of_ids_are_checked(
    entries: InventoryRows, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "BATCH_SIZE", 3)
    product_id = entries.products.create()
    buyers = [entries.clients.create() for _ in range(10)]
    for client_id in buyers:
        entries.insert(client_id, product_id, times=2)
    for client_id in buyers[::3]:
        entries.clients.delete(client_id)
    done = run(*NO_GRACE)
    assert done.report["checked"] == {"client": 10, "product": 1}
    assert done.report["removed_rows"] == 8
    assert {client_id for client_id, _ in entries.pairs()} == set(buyers) - set(buyers[::3])


def test_orphans_beyond_one_batch_are_removed(entries: InventoryRows, run: Command) -> None:
    entries.add_orphan("product", times=BATCH_SIZE + 1)
    assert run(*NO_GRACE).report["removed_rows"] == BATCH_SIZE + 1
    assert entries.pairs() == []


def test_synthetic_entries_are_not_checked(entries: InventoryRows, run: Command) -> None:
    synthetic = entries.add(realm="synthetic")
    entries.add_orphan()
    done = run(*NO_GRACE)
    assert done.report["checked"] == {"client": 1, "product": 0}
    assert entries.pairs() == [synthetic]


def test_entries_removed_by_a_relay_are_no_orphans(
    entries: InventoryRows, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries.add_orphan()

    def relay(_: float) -> None:
        with entries.engine.begin() as connection:
            connection.execute(text("DELETE FROM inventory_items"))

    monkeypatch.setattr("inventory.reconcile.time.sleep", relay)
    done = run("--grace", "60")
    assert done.code == 0
    assert done.report["missing"]["client"] == 1
    assert (done.report["inventory_orphan_rows"], done.report["removed_rows"]) == (0, 0)


@pytest.mark.parametrize("kind", ["client", "product"])
def test_tombstones_of_owners_that_a_restore_brought_back_are_removed(
    entries: InventoryRows, run: Command, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "BATCH_SIZE", 2)
    owners = entries.clients if kind == "client" else entries.products
    restored = [owners.create() for _ in range(3)]
    gone = owners.create()
    owners.delete(gone)
    with entries.engine.begin() as connection:
        add = text("INSERT INTO gone (kind, subject_id) VALUES (:kind, :id)")
        connection.execute(add, [{"kind": kind, "id": owner} for owner in (*restored, gone)])
    assert run("--dry-run", *NO_GRACE).report["removed_tombstones"] == 0
    assert len(entries.tombstones()) == 4
    done = run(*NO_GRACE)
    assert (done.code, done.report["removed_tombstones"]) == (0, 3)
    assert entries.tombstones() == [(kind, gone)]
