"""Requests that add, list and remove inventory entries."""

from typing import Any

from servicekit.testing import ContractClient

MISSING_ID = 2**62  # of no client and no product


def purchase_body(client_id: int, product_id: int, **changes: Any) -> dict[str, Any]:
    """Return the body of an addition; ``...`` omits a field."""
    body = {
        "client_id": client_id,
        "product_id": product_id,
        "number_of_items": 5,
        "purchase_date": "2024-11-01T10:30:00",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}


def add_purchase(api: ContractClient, client_id: int, product_id: int, **changes: Any) -> int:
    """Add an inventory entry, and return its id."""
    answer = api.post(
        "/inventory/add_product", json=purchase_body(client_id, product_id, **changes)
    )
    assert answer.status_code == 201, answer.text
    identifier: int = answer.json()["id"]
    return identifier


def list_purchases(api: ContractClient, client_id: int) -> list[Any]:
    """Return the inventory of a client."""
    entries: list[Any] = api.get(f"/inventory/list_products_ids/{client_id}").json()
    return entries


def remove_many(api: ContractClient, kind: str, identifier: int) -> None:
    """Remove a client or a product from all inventories, and check the response."""
    body = {"remotion_id": identifier, "type": kind}
    answer = api.request("DELETE", "/inventory/remove_many", json=body)
    assert answer.status_code == 200
    assert list(answer.json()) == ["msg"]
