"""Valid request bodies of the clients service."""

import itertools
import os
from typing import Any

from validate_docbr import CPF

_numbers = itertools.count()


def client_body(**changes: Any) -> dict[str, Any]:
    """Return a client with a unique e-mail address and CPF; ``...`` omits a field."""
    unique = f"{os.getpid()}-{next(_numbers)}"
    body = {
        "name": "Vinícius Peixoto",
        "email": f"Vinícius_{unique}@example.com",
        "cpf": CPF().generate(mask=True),
        "balance": "30.25",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}


def address_body(**changes: Any) -> dict[str, Any]:
    """Return an address; ``...`` omits a field."""
    body = {
        "state": "SP",
        "city": "Andradina",
        "street": "Bandeirantes",
        "number": 100,
        "CEP": "16900-000",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}
