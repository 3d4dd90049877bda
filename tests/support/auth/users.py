"""Users and their logins."""

import base64
import itertools
import os
from collections.abc import Iterator
from typing import Any

import httpx

from auth.app import create_app
from servicekit.testing import CONTRACTS, ContractClient, environment, serve

PASSWORD = "Testando"
PREFIXES = ("/users", "/user")  # the path and its deprecated alias

_numbers = itertools.count()


def new_username() -> str:
    """Return a unique user name."""
    return f"Vinícius {os.getpid()}-{next(_numbers)}"


def basic_auth(name: str, password: str) -> httpx.BasicAuth:
    """Return basic credentials (RFC 7617) in UTF-8."""
    return httpx.BasicAuth(name.encode(), password.encode())


def basic_auth_header(name: str, password: str) -> dict[str, str]:
    """Return the header of basic credentials."""
    encoded = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def create_user(api: ContractClient, name: str | None = None, **more: Any) -> str:
    """Create a user, and return the name."""
    name = name or new_username()
    answer = api.post("/users/create", json={"username": name, "password": PASSWORD}, **more)
    assert answer.status_code == 201, answer.text
    return name


def request_login(
    api: ContractClient, name: str, password: str = PASSWORD, **more: Any
) -> httpx.Response:
    """Send a login request."""
    return api.post("/users/login", auth=basic_auth(name, password), **more)


def log_in(api: ContractClient, name: str | None = None) -> str:
    """Log in a user, by default a new one, and return the token."""
    token: str = request_login(api, name or create_user(api)).json()["token"]
    return token


def bearer(token: str) -> dict[str, str]:
    """Return the header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def run_auth(
    settings: dict[str, str], *, ready: bool = True, **more: str
) -> Iterator[ContractClient]:
    """Run auth, and yield a client without a token."""
    with environment(**settings, **more):
        app = create_app()
    with (
        serve(app, ready=ready) as url,
        ContractClient(url, CONTRACTS / "auth.yaml", "unit") as client,
    ):
        yield client
