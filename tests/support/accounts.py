"""Users, tokens and request bodies of test clients."""

import secrets
from base64 import b64encode

from validate_docbr import CPF

from tests.support.http_caller import HttpCaller

User = tuple[str, str]
"""A name and a password."""


def create_user(base: str, prefix: str) -> User:
    """Create a user with a random name and password."""
    name, password = f"{prefix}-{secrets.token_hex(8)}", secrets.token_urlsafe(16)
    with HttpCaller(base) as caller:
        caller.request("POST", "/users/create", {"username": name, "password": password})
    return name, password


def log_in(base: str, user: User) -> str | None:
    """Return a token for a user, or None if auth issues none."""
    credentials = b64encode(":".join(user).encode()).decode()
    with HttpCaller(base) as caller:
        response = caller.request("POST", "/users/login", Authorization=f"Basic {credentials}")
    return str(response.document["token"]) if response.is_success else None


def new_client(name: str, prefix: str, cpf: str = "", balance: float = 0) -> dict[str, object]:
    """Return the body of a client with a unique e-mail address and CPF."""
    email = f"{prefix}-{secrets.token_hex(8)}@example.invalid"
    cpf = cpf or CPF().generate(mask=True)
    return {"name": name, "email": email, "cpf": cpf, "balance": balance}


def new_purchase(client_id: int, product_id: int, date: str) -> dict[str, object]:
    """Return the body of an addition to a client's inventory."""
    return {
        "client_id": client_id,
        "product_id": product_id,
        "number_of_items": 1,
        "purchase_date": date,
    }
