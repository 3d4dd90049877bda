"""Requests of a contract's operations: good ones, and what makes them bad."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote, urlencode

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
USER = "user"  # who may call every operation that asks for a token

Callers = Mapping[str, str]  # tokens by who holds them
Authorize = Callable[[Callers], str | None]  # the Authorization header, if there is one


def bearer(who: str) -> Authorize:
    """Return how a caller with a token says who it is."""
    return lambda callers: f"Bearer {callers[who]}"


def encoded(media: str, members: Mapping[str, Any]) -> bytes:
    """Return a body as it is sent."""
    return (urlencode(members) if media == FORM else json.dumps(members)).encode()


_BY_THE_USER = bearer(USER)


@dataclass(frozen=True, eq=False)
class Request:
    """A request of one operation."""

    operation: str
    method: str
    template: str  # of its path
    identifiers: Mapping[str, object]  # what stands in the path, by the template's names
    authorize: Authorize = _BY_THE_USER
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # their names in small letters
    members: Mapping[str, Any] = field(default_factory=dict)  # of the body
    body: bytes | None = None

    @property
    def path(self) -> str:
        """The path with its query."""
        quoted = {name: quote(str(value), safe="") for name, value in self.identifiers.items()}
        path = self.template.format(**quoted)
        return f"{path}?{self.query}" if self.query else path

    def having(self, **members: Any) -> Self:
        """Return the same request with other members in its body; ``...`` takes one out."""
        changed = {k: v for k, v in {**self.members, **members}.items() if v is not ...}
        return replace(self, members=changed, body=encoded(self.headers["content-type"], changed))

    def at(self, **identifiers: object) -> Self:
        """Return the same request with other identifiers in its path."""
        return replace(self, identifiers={**self.identifiers, **identifiers})

    def under(self, **headers: str) -> Self:
        """Return the same request with more headers; an underscore stands for a dash."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})

    def by(self, authorize: Authorize) -> Self:
        """Return the same request of another caller."""
        return replace(self, authorize=authorize)

    def but(self, wrong: str, status: int, **changes: Any) -> "Bad":
        """Return the request as one that is bad, once these fields of it are changed."""
        return Bad(replace(self, **changes), wrong, status)


@dataclass(frozen=True, eq=False)
class Bad:
    """A request that must be refused, and with which status."""

    request: Request
    wrong: str
    status: int
    waits_for: str | None = None  # the table for which the same request waits meanwhile
