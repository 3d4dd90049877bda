"""Accounts, made anew for each test."""

import base64
import itertools
import os
from collections.abc import Iterator
from typing import Any

import httpx

from auth.app import create_app
from servicekit.testing import CONTRACTS, ContractClient, environment, serve

PASSWORD = "Testando"
PREFIXES = ("/users", "/user")  # the path and its older name

_numbers = itertools.count()


def a_name() -> str:
    """Return a user name that nobody has."""
    return f"Vinícius {os.getpid()}-{next(_numbers)}"


def basic(name: str, password: str) -> httpx.BasicAuth:
    """Return credentials (RFC 7617), in UTF-8."""
    return httpx.BasicAuth(name.encode(), password.encode())


def basic_header(name: str, password: str) -> dict[str, str]:
    """Return the same credentials as the header that carries them."""
    encoded = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def registered(api: ContractClient, name: str | None = None, **more: Any) -> str:
    """Register a user and return the name."""
    name = name or a_name()
    answer = api.post("/users/create", json={"username": name, "password": PASSWORD}, **more)
    assert answer.status_code == 201, answer.text
    return name


def login(api: ContractClient, name: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
    """Log in."""
    return api.post("/users/login", auth=basic(name, password), **more)


def logged_in(api: ContractClient, name: str | None = None) -> str:
    """Log a user in, a new one if none is named, and return the token."""
    token: str = login(api, name or registered(api)).json()["token"]
    return token


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def running(
    settings: dict[str, str], *, ready: bool = True, **more: str
) -> Iterator[ContractClient]:
    """Run the service and yield a client without a token."""
    with environment(**settings, **more):
        app = create_app()
    with (
        serve(app, ready=ready) as url,
        ContractClient(url, CONTRACTS / "auth.yaml", "unit") as client,
    ):
        yield client
