"""Products that do not exist, made anew for each test."""

import itertools
import os
from typing import Any

_numbers = itertools.count()


def a_product(**changes: Any) -> dict[str, Any]:
    """Return the body of a product that nobody has made yet."""
    body = {
        "name": f"Teclado {os.getpid()}-{next(_numbers)}",
        "description": "Um teclado com ç",
        "quantity": 500,
        "price": "89.90",
        "status": True,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}
