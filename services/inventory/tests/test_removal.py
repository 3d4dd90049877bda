"""Removal of single entries, and of all entries of a client or a product."""

import pytest
from sqlalchemy import create_engine, text

from inventory.repository import BATCH_SIZE
from servicekit.db.database import driver_url
from servicekit.testing import ContractClient
from tests.support.inventory.fake_owners import FakeOwner
from tests.support.inventory.purchases import (
    MISSING_ID,
    add_purchase,
    list_purchases,
    purchase_body,
    remove_many,
)


def test_a_single_entry_is_removed(
    api: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    client_id, product_id = clients.create(), products.create()
    first, second = (add_purchase(api, client_id, product_id) for _ in range(2))
    path = f"/inventory/remove_product/{first}"
    assert api.delete(path).status_code == 200
    assert [entry["id"] for entry in list_purchases(api, client_id)] == [second]
    assert api.delete(path).status_code == 404


@pytest.mark.parametrize("kind", ["client", "product"])
def test_a_user_removes_a_client_or_a_product_and_may_add_it_again(
    api: ContractClient, clients: FakeOwner, products: FakeOwner, kind: str
) -> None:
    one, other = (clients.create(), products.create()), (clients.create(), products.create())
    for client_id, product_id in (one, one, other):
        add_purchase(api, client_id, product_id)
    remove_many(api, kind, one[0] if kind == "client" else one[1])
    assert list_purchases(api, one[0]) == []
    assert len(list_purchases(api, other[0])) == 1
    remove_many(api, kind, one[0] if kind == "client" else one[1])  # again, without entries
    add_purchase(api, *one)
    assert len(list_purchases(api, one[0])) == 1


@pytest.mark.parametrize("kind", ["client", "product"])
def test_additions_after_a_removal_by_a_relay_are_rejected(
    api: ContractClient, relay: ContractClient, clients: FakeOwner, products: FakeOwner, kind: str
) -> None:
    client_id, product_id = clients.create(), products.create()
    add_purchase(api, client_id, product_id)
    for _ in range(2):  # a relay may deliver a message twice
        remove_many(relay, kind, client_id if kind == "client" else product_id)
        assert list_purchases(api, client_id) == []
    answer = api.post("/inventory/add_product", json=purchase_body(client_id, product_id))
    assert answer.status_code == 404
    assert answer.json()["errors"] == [
        {"field": f"{kind}_id", "reason": f"There is no such {kind}"}
    ]
    assert list_purchases(api, client_id) == []


def test_tombstones_of_clients_and_products_are_separate(
    api: ContractClient, relay: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    client_id, product_id = clients.create(), products.create()
    remove_many(relay, "client", product_id)
    remove_many(relay, "product", client_id)
    add_purchase(api, client_id, product_id)
    assert len(list_purchases(api, client_id)) == 1


def test_more_entries_than_one_batch_are_removed(
    api: ContractClient, relay: ContractClient, products: FakeOwner, database_url: str
) -> None:
    fill = text(
        "INSERT INTO inventory_items (realm, client_id, product_id, product_name,"
        " number_of_items, purchase_date)"
        " SELECT 'live', :first + n % 7, :product, 'x', 1, now() FROM generate_series(1, :n) AS n"
    )
    count = text("SELECT count(*) FROM inventory_items WHERE product_id = :product")
    for caller in (api, relay):
        values = {"first": MISSING_ID, "product": products.create(), "n": 2 * BATCH_SIZE}
        with create_engine(driver_url(database_url)).begin() as connection:
            connection.execute(fill, values)
        remove_many(caller, "product", values["product"])
        with create_engine(driver_url(database_url)).connect() as connection:
            assert connection.scalar(count, values) == 0


@pytest.mark.parametrize("body", [{"remotion_id": 0, "type": "client"}, {"remotion_id": 1}, {}])
@pytest.mark.parametrize("path", ["remove_many", "remove_products"])
def test_an_invalid_removal_is_rejected(
    api: ContractClient, path: str, body: dict[str, object]
) -> None:
    answer = api.request("DELETE", f"/inventory/{path}", json=body)
    assert answer.status_code == 400
    assert (
        api.request(
            "DELETE", f"/inventory/{path}", json={"remotion_id": 1, "type": "address"}
        ).json()["errors"][0]["field"]
        == "type"
    )


def test_a_relay_removes_synthetic_entries(
    monitor: ContractClient, relay: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    client_id, product_id = clients.create(realm="synthetic"), products.create(realm="synthetic")
    add_purchase(monitor, client_id, product_id)
    remove_many(relay, "client", client_id)
    assert list_purchases(monitor, client_id) == []
    answer = monitor.post("/inventory/add_product", json=purchase_body(client_id, product_id))
    assert answer.status_code == 404
