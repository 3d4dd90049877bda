"""Valid request bodies of the products service."""

import itertools
import os
from typing import Any

_numbers = itertools.count()


def product_body(**changes: Any) -> dict[str, Any]:
    """Return a product with a unique name; ``...`` omits a field."""
    body = {
        "name": f"Teclado {os.getpid()}-{next(_numbers)}",
        "description": "Um teclado com ç",
        "quantity": 500,
        "price": "89.90",
        "status": True,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}
