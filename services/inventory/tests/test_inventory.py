"""Additions to the inventory, and their validation."""

import pytest

from servicekit.testing import ContractClient
from tests.support.inventory.fake_owners import FakeOwner
from tests.support.inventory.purchases import (
    MISSING_ID,
    add_purchase,
    list_purchases,
    purchase_body,
    remove_many,
)


def test_an_added_entry_is_listed(
    api: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    client_id, product_id = clients.create(), products.create("Monitor 3")
    item_id = add_purchase(api, client_id, product_id)
    assert list_purchases(api, client_id) == [
        {
            "id": item_id,
            "product_id": product_id,
            "product_name": "Monitor 3",
            "number_of_items": 5,
            "purchase_date": "2024-11-01T10:30:00+00:00",
        }
    ]


def test_a_product_may_be_bought_repeatedly_and_by_several_clients(
    api: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    first, second, product_id = clients.create(), clients.create(), products.create()
    ids = [add_purchase(api, buyer, product_id) for buyer in (first, first, second)]
    assert [entry["id"] for entry in list_purchases(api, first)] == ids[:2]
    assert [entry["id"] for entry in list_purchases(api, second)] == ids[2:]


def test_an_entry_keeps_the_product_name_of_its_time(
    api: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    client_id, product_id = clients.create(), products.create("Velho")
    add_purchase(api, client_id, product_id)
    products.rename(product_id, "Novo")
    add_purchase(api, client_id, product_id)
    assert [entry["product_name"] for entry in list_purchases(api, client_id)] == ["Velho", "Novo"]


@pytest.mark.parametrize("missing", [{"client"}, {"product"}, {"client", "product"}])
def test_a_missing_client_or_product_is_named(
    api: ContractClient, clients: FakeOwner, products: FakeOwner, missing: set[str]
) -> None:
    client_id = MISSING_ID if "client" in missing else clients.create()
    product_id = MISSING_ID if "product" in missing else products.create()
    answer = api.post("/inventory/add_product", json=purchase_body(client_id, product_id))
    assert answer.status_code == 404
    assert {error["field"] for error in answer.json()["errors"]} == {f"{k}_id" for k in missing}
    assert list_purchases(api, client_id) == []


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2024-11-01T10:30:00", "2024-11-01T10:30:00+00:00"),
        ("2024-11-01T10:30", "2024-11-01T10:30:00+00:00"),
        ("2024-11-01", "2024-11-01T00:00:00+00:00"),
        ("2024-11-01T10:30:00Z", "2024-11-01T10:30:00+00:00"),
        ("2024-11-01T10:30:00-03:00", "2024-11-01T13:30:00+00:00"),
        ("2024-12-31T23:30:00-03:00", "2025-01-01T02:30:00+00:00"),
        ("2024-02-29T00:00:00+05:30", "2024-02-28T18:30:00+00:00"),
        ("2024-11-01T10:30:00.5", "2024-11-01T10:30:00.500000+00:00"),
        ("2024-11-01T10:30:00.000001Z", "2024-11-01T10:30:00.000001+00:00"),
        ("2024-11-01T10:30:00.000000", "2024-11-01T10:30:00+00:00"),
        ("2024-11-01T10:30:00.1234567", "2024-11-01T10:30:00.123456+00:00"),  # .NET
        ("2024-11-01T10:30:00.123456789Z", "2024-11-01T10:30:00.123456+00:00"),  # Go, Java
        (f"2024-11-01T10:30:00.{'9' * 75}Z", "2024-11-01T10:30:00.999999+00:00"),
        ("2024-11-01T10:30:00.0000009-03:00", "2024-11-01T13:30:00+00:00"),
        ("2024-11-01t10:30:00z", "2024-11-01T10:30:00+00:00"),
        ("2024-11-01t10:30:00.5z", "2024-11-01T10:30:00.500000+00:00"),
        ("2024-11-01T10:30:00,5Z", "2024-11-01T10:30:00.500000+00:00"),
        ("2024-11-01T10:30Z", "2024-11-01T10:30:00+00:00"),
        ("2024-11-01T10:30:00-00:00", "2024-11-01T10:30:00+00:00"),
        ("2024-11-01T10:30-03", "2024-11-01T13:30:00+00:00"),
        ("2024-11-01T10:30:00.25-0330", "2024-11-01T14:00:00.250000+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31T23:59:60", "2017-01-01T00:00:00+00:00"),
        ("1990-12-31T15:59:60.25-08:00", "1991-01-01T00:00:00.250000+00:00"),
        ("2017-01-01t05:29:60.9999999+05:30", "2017-01-01T00:00:00.999999+00:00"),
        ("0001-01-01", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_a_purchase_date_is_converted_to_utc(
    api: ContractClient, clients: FakeOwner, products: FakeOwner, given: str, stored: str
) -> None:
    client_id = clients.create()
    add_purchase(api, client_id, products.create(), purchase_date=given)
    assert list_purchases(api, client_id)[0]["purchase_date"] == stored


@pytest.mark.parametrize(
    "given",
    [
        "2024-02-30",
        "2023-02-29T10:30:00",
        "2024-13-01",
        "2024-00-10",
        "0000-01-01",
        "2024-11-01T24:30:00",
        "2024-11-01T10:60:00",
        "2024-11-01T10:30:61",
        "2024-11-01T10:30:00+24:00",
        "2024-11-01T10:30:00+10:75",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2024-11-01T10:30:00.",
        "2024-11-01T10:30:60Z",
        "2016-12-31T23:59:60-03:00",
        "2016-12-31T23:58:60Z",
        "9999-12-31T23:59:60Z",
        f"2024-11-01T10:30:00.{'9' * 81}",
        "2024-11-01T10:30:00+3",
        "2024-11-01 10:30:00",
        "2024-11-01T10:30:00\n",
        "20241101",
        "2024-W44-5",
        "01/11/2024",
        "amanhã",
        "٢٠٢٤-11-01",
        "",
        1730457000,
        None,
        ...,
    ],
)
def test_an_invalid_date_is_rejected(
    api: ContractClient, clients: FakeOwner, products: FakeOwner, given: object
) -> None:
    client_id = clients.create()
    body = purchase_body(client_id, products.create(), purchase_date=given)
    answer = api.post("/inventory/add_product", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "purchase_date"
    assert list_purchases(api, client_id) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", 0),
        ("client_id", "1"),
        ("client_id", 2**63),
        ("client_id", ...),
        ("product_id", -1),
        ("product_id", 1.5),
        ("product_id", ...),
        ("number_of_items", 0),
        ("number_of_items", 2**31),
        ("number_of_items", True),
        ("number_of_items", ...),
        ("product_name", "Teclado"),
    ],
)
def test_an_invalid_field_is_named(api: ContractClient, field: str, value: object) -> None:
    body = {name: v for name, v in {**purchase_body(1, 1), field: value}.items() if v is not ...}
    answer = api.post("/inventory/add_product", json=body)
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_maximum_values_are_stored(
    api: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    client_id, name = clients.create(), "\N{GRINNING FACE}" * 200
    add_purchase(api, client_id, products.create(name), number_of_items=2**31 - 1)
    assert list_purchases(api, client_id)[0]["product_name"] == name
    assert list_purchases(api, client_id)[0]["number_of_items"] == 2**31 - 1


def test_an_inventory_is_paginated(
    api: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    client_id, product_id = clients.create(), products.create()
    ids = [add_purchase(api, client_id, product_id) for _ in range(5)]
    seen: list[int] = []
    path: str | None = f"/inventory/list_products_ids/{client_id}?limit=2"
    while path:
        answer = api.get(path)
        assert len(answer.json()) <= 2
        seen += [entry["id"] for entry in answer.json()]
        link = answer.links.get("next", {}).get("url")
        assert link is None or link.startswith("?")  # relative, for proxies that strip a prefix
        path = f"{path.partition('?')[0]}{link}" if link else None
    assert seen == ids


def test_a_client_without_purchases_has_an_empty_inventory(api: ContractClient) -> None:
    assert list_purchases(api, MISSING_ID) == []


def test_deprecated_paths_are_equivalent(
    api: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    client_id = clients.create()
    item_id = add_purchase(api, client_id, products.create())
    response = api.get(f"/inventory/list_products_id/{client_id}/", params={"limit": 1})
    assert [entry["id"] for entry in response.json()] == [item_id]
    body = {"remotion_id": client_id, "type": "client"}
    assert api.request("DELETE", "/inventory/remove_products", json=body).status_code == 200
    assert list_purchases(api, client_id) == []


def test_the_synthetic_and_the_live_realm_are_isolated(
    api: ContractClient, monitor: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    synthetic = clients.create(realm="synthetic"), products.create(realm="synthetic")
    live = clients.create(), products.create()
    ids = add_purchase(monitor, *synthetic), add_purchase(api, *live)
    for caller, (client_id, product_id), item_id in (
        (api, synthetic, ids[0]),
        (monitor, live, ids[1]),
    ):
        refused = caller.post("/inventory/add_product", json=purchase_body(client_id, product_id))
        assert refused.status_code == 404
        assert list_purchases(caller, client_id) == []
        assert caller.delete(f"/inventory/remove_product/{item_id}").status_code == 404
        remove_many(caller, "client", client_id)
        remove_many(caller, "product", product_id)
    assert [entry["id"] for entry in list_purchases(monitor, synthetic[0])] == [ids[0]]
    assert [entry["id"] for entry in list_purchases(api, live[0])] == [ids[1]]
