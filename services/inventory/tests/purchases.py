"""Purchases that nobody made, anew for each test, and how they come and go."""

from typing import Any

from servicekit.testing import ContractClient

ABSENT = 2**62


def a_purchase(client_id: int, product_id: int, **changes: Any) -> dict[str, Any]:
    """Return the body of an addition."""
    body = {
        "client_id": client_id,
        "product_id": product_id,
        "number_of_items": 5,
        "purchase_date": "2024-11-01T10:30:00",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}


def added(api: ContractClient, client_id: int, product_id: int, **changes: Any) -> int:
    """Add a product to an inventory and return the entry's id."""
    answer = api.post("/inventory/add_product", json=a_purchase(client_id, product_id, **changes))
    assert answer.status_code == 201, answer.text
    identifier: int = answer.json()["id"]
    return identifier


def listed(api: ContractClient, client_id: int) -> list[Any]:
    """Return a client's inventory."""
    entries: list[Any] = api.get(f"/inventory/list_products_ids/{client_id}").json()
    return entries


def remove_many(api: ContractClient, kind: str, identifier: int) -> None:
    """Remove a client or a product from all inventories."""
    body = {"remotion_id": identifier, "type": kind}
    answer = api.request("DELETE", "/inventory/remove_many", json=body)
    assert answer.status_code == 200
    assert list(answer.json()) == ["msg"]
