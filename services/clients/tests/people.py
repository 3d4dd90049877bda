"""People who do not exist, made anew for each test."""

import itertools
import os
from typing import Any

from validate_docbr import CPF

_numbers = itertools.count()


def a_client(**changes: Any) -> dict[str, Any]:
    """Return the body of a client whom nobody has registered yet."""
    unique = f"{os.getpid()}-{next(_numbers)}"
    body = {
        "name": "Vinícius Peixoto",
        "email": f"Vinícius_{unique}@example.com",
        "cpf": CPF().generate(mask=True),
        "balance": "30.25",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}


def an_address(**changes: Any) -> dict[str, Any]:
    """Return the body of an address."""
    body = {
        "state": "SP",
        "city": "Andradina",
        "street": "Bandeirantes",
        "number": 100,
        "CEP": "16900-000",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}
