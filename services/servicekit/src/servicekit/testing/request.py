"""Valid requests of a contract's operations, and derived invalid requests."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote, urlencode

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
USER = "user"  # name of the token with all scopes of users

Tokens = Mapping[str, str]  # tokens by name
Authorize = Callable[[Tokens], str | None]  # returns an Authorization header, if any


def bearer(name: str) -> Authorize:
    """Return an authorization with the token of that name."""
    return lambda tokens: f"Bearer {tokens[name]}"


def encode_body(media: str, members: Mapping[str, Any]) -> bytes:
    """Encode a body as a form or as JSON."""
    return (urlencode(members) if media == FORM else json.dumps(members)).encode()


_AS_USER = bearer(USER)


@dataclass(frozen=True, eq=False)
class Request:
    """A request of one operation."""

    operation: str
    method: str
    template: str  # of its path
    identifiers: Mapping[str, object]  # parameters of the path template
    authorize: Authorize = _AS_USER
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    members: Mapping[str, Any] = field(default_factory=dict)  # of the body
    body: bytes | None = None

    @property
    def path(self) -> str:
        """Return the path with its query."""
        quoted = {name: quote(str(value), safe="") for name, value in self.identifiers.items()}
        path = self.template.format(**quoted)
        return f"{path}?{self.query}" if self.query else path

    def with_body(self, **members: Any) -> Self:
        """Return the request with changed members of the body; ``...`` removes one."""
        changed = {k: v for k, v in {**self.members, **members}.items() if v is not ...}
        body = encode_body(self.headers["content-type"], changed)
        return replace(self, members=changed, body=body)

    def with_path(self, **identifiers: object) -> Self:
        """Return the request with changed identifiers in the path."""
        return replace(self, identifiers={**self.identifiers, **identifiers})

    def with_headers(self, **headers: str) -> Self:
        """Return the request with more headers; underscores stand for dashes."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})

    def as_user(self, authorize: Authorize) -> Self:
        """Return the request with another authorization."""
        return replace(self, authorize=authorize)

    def expect(self, status: int, label: str, **changes: Any) -> "InvalidRequest":
        """Return the request with changes, which the service must reject with ``status``."""
        return InvalidRequest(replace(self, **changes), label, status)


@dataclass(frozen=True, eq=False)
class InvalidRequest:
    """A request that the service must reject with a status."""

    request: Request
    label: str  # describes what is invalid
    status: int
    blocked_on: str | None = None  # table whose lock blocks the first of two equal requests
