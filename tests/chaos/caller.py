"""One caller over HTTP, on a connection that stays open: an answer, or none."""

import json
import secrets
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from validate_docbr import CPF

TIMEOUT = 10.0  # seconds; after them nobody knows what became of a request


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int  # 0: nothing came
    document: Any
    headers: Mapping[str, str]  # their names in lower case
    began: float  # on the monotonic clock, which all processes share
    seconds: float

    @property
    def is_success(self) -> bool:
        """Whether it was done."""
        return self.status in range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)


class Caller:
    """Calls one base URL."""

    def __init__(self, base: str, token: str = "", timeout: float = TIMEOUT) -> None:
        """Call ``base`` with a bearer ``token``, if there is one."""
        self.base = base
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection = HTTPConnection(urlsplit(base).netloc, timeout=timeout)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request once; headers are named with underscores."""
        began = time.monotonic()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        try:
            self._connection.request(method, path, content, {**self._headers, **named})
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, HTTPException):
            self._connection.close()
            return Answer(0, None, {}, began, time.monotonic() - began)
        received = {name.lower(): value for name, value in response.getheaders()}
        document = json.loads(text) if "json" in received.get("content-type", "") else None
        return Answer(response.status, document, received, began, time.monotonic() - began)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def make_user(base: str) -> tuple[str, str]:
    """Make a user, and return the name and the password."""
    name, password = f"chaos-{secrets.token_hex(8)}", secrets.token_urlsafe(16)
    Caller(base).ask("POST", "/users/create", {"username": name, "password": password})
    return name, password


def log_in(base: str, user: tuple[str, str]) -> str | None:
    """Return a token, or nothing when auth gives none now."""
    credentials = b64encode(":".join(user).encode()).decode()
    caller = Caller(base)
    answer = caller.ask("POST", "/users/login", Authorization=f"Basic {credentials}")
    caller.close()
    return str(answer.document["token"]) if answer.is_success else None


def a_client(balance: float = 0, name: str = "Caos") -> dict[str, object]:
    """Return a client that nobody else is."""
    email = f"chaos-{secrets.token_hex(8)}@example.invalid"
    return {"name": name, "email": email, "cpf": CPF().generate(mask=True), "balance": balance}


def a_purchase(client_id: int, product_id: int, date: str) -> dict[str, object]:
    """Return an addition to a client's inventory."""
    return {
        "client_id": client_id,
        "product_id": product_id,
        "number_of_items": 1,
        "purchase_date": date,
    }
