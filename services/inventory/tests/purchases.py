"""Purchases that nobody made, anew for each test."""

from typing import Any


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
