"""Random clients, addresses and products, all distinct."""

import itertools
import random
import secrets
from typing import Any

PLACES = (
    ("SP", "Andradina", "Rua Bandeirantes", "16900-000"),
    ("PE", "Recife", "Rua da Aurora", "50050-000"),
    ("RS", "Bagé", "Avenida Sete de Setembro", "96400-003"),
)

# A counter, since random numbers would soon collide. Nine equal digits make no valid CPF.
_numbers = (
    number % 10**9
    for number in itertools.count(secrets.randbelow(10**9))
    if len(set(f"{number % 10**9:09}")) > 1
)


def client(run_id: str) -> dict[str, Any]:
    """Return a client, marked with the id of its run."""
    return {
        "name": "Antônia da Conceição",
        "email": f"{secrets.token_hex(8)}@{run_id}.test",
        "cpf": cpf(next(_numbers)),
        "balance": random.randrange(10**6) / 100,  # noqa: S311 - any amount will do
    }


def address(client_id: int) -> dict[str, Any]:
    """Return an address of a client."""
    state, city, street, cep = random.choice(PLACES)  # noqa: S311 - any place will do
    number = random.randrange(1, 5_000)  # noqa: S311 - any number will do
    return {
        "client_id": client_id,
        "state": state,
        "city": city,
        "street": street,
        "number": number,
        "CEP": cep,
    }


def product(run_id: str) -> dict[str, Any]:
    """Return a product, marked with the id of its run."""
    return {
        "name": f"Monitor {run_id} {secrets.token_hex(8)}",
        "description": "27 polegadas",
        "quantity": random.randrange(1_000),  # noqa: S311 - any quantity will do
        "price": random.randrange(10**6) / 100,  # noqa: S311 - any price will do
        "status": True,
    }


def cpf(number: int) -> str:
    """Return the CPF of nine digits with its two check digits (modulo 11 of a weighted sum)."""
    digits = [int(digit) for digit in f"{number:09}"]
    for _ in range(2):
        weights = range(len(digits) + 1, 1, -1)
        remainder = sum(w * d for w, d in zip(weights, digits, strict=True)) % 11
        digits.append(0 if remainder < 2 else 11 - remainder)  # noqa: PLR2004 - of the algorithm
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"
