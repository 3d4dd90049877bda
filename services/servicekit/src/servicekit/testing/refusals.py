"""What a service lets nobody do: for each operation, each way in which a request is wrong.

Most of it follows from the contract: whatever it requires is left out, whatever it limits is
exceeded, whatever it declares is brought about. So a new operation or a new limit has its bad
requests without a line here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx

from servicekit.openapi.specification import dereference, load_contract, operations
from servicekit.testing.issuer import SCOPE
from servicekit.testing.malformed import bad_bodies, bad_parameters
from servicekit.testing.request import USER, Authorize, Bad, Request, bearer
from servicekit.testing.server import CONTRACTS

NOBODY = 2**62  # an id that no row has
KEY = "a-key-that-was-used"  # under which each operation that takes one has made something
EXPIRED = "expired"  # who holds a token that was good for a while

Send = Callable[..., httpx.Response]  # sends a request as `httpx.Client.request` does

_BAD_TOKENS: Mapping[str, Authorize] = {
    "another scheme": lambda callers: f"Basic {callers[USER]}",
    "nonsense": lambda _: "Bearer nonsense",
    "a forged token": lambda callers: f"Bearer {forged(callers[USER])}",
    "an expired token": bearer(EXPIRED),
}
_BAD_CREDENTIALS: Mapping[str, Authorize] = {
    "another scheme": bearer(USER),
    "nonsense": lambda _: "Basic !!!",
}


@dataclass(frozen=True)
class Given:
    """What a contract does not tell of its good requests.

    Bodies, tables and credentials are given by operation, and hold for an older path of it too
    that has none of its own.
    """

    identifiers: Mapping[str, int] = field(default_factory=dict)  # what stands in the paths
    bodies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # the members of each
    tables: Mapping[str, str] = field(default_factory=dict)  # what is written to under a key
    credentials: Mapping[str, Authorize] = field(
        default_factory=dict
    )  # where no token is asked for
    callers: Mapping[str, str] = field(default_factory=dict)  # the scopes of more callers


class Refusals(ABC):
    """What one service must refuse, and how those use it whom it serves."""

    service: ClassVar[str]  # its name

    def __init__(self, given: Given) -> None:
        """Read the contract."""
        self._given = given
        contract = dereference(load_contract(CONTRACTS / f"{self.service}.yaml"))
        self._operations = {
            operation["operationId"]: (path, method, operation)
            for path, method, operation in operations(contract)
        }

    @abstractmethod
    def conflicts(self) -> Iterable[Bad]:
        """Return what no contract tells: what is another's, or breaks a rule of the domain."""

    @abstractmethod
    def use(self, send: Send) -> Iterable[httpx.Response]:
        """Make a good request of each operation that refuses any."""

    def declared(self) -> set[tuple[str, int]]:
        """Return each operation's refusals: its 4xx."""
        return {
            (name, int(status))
            for name, (_, _, operation) in self._operations.items()
            for status in operation["responses"]
            if status.startswith("4")
        }

    def brought_about(self) -> set[tuple[str, int]]:
        """Return each operation's refusals that there is a bad request for."""
        return {(bad.request.operation, bad.status) for bad in self.bad_requests()}

    def callers(self) -> dict[str, str]:
        """Return the scopes of a user, of those who lack what an operation needs, and of others."""
        needed = {scopes for scopes in map(self._scopes, self._operations) if scopes}
        every = frozenset(SCOPE.split()).union(*needed)
        lacking = {_lacking(scopes): " ".join(sorted(every - scopes)) for scopes in needed}
        return {USER: SCOPE, **lacking, **self._given.callers}

    def good(self, name: str) -> Request:
        """Return a good request of an operation."""
        path, method, operation = self._operations[name]
        authorize = self._of(self._given.credentials, name) or bearer(USER)
        good = Request(name, method.upper(), path, self._given.identifiers, authorize)
        if "requestBody" not in operation:
            return good
        (media,) = operation["requestBody"]["content"]
        return good.under(content_type=media).having(**self._of(self._given.bodies, name))

    def bad_requests(self) -> Iterator[Bad]:
        """Yield each bad request of each operation."""
        for name, (path, _, operation) in self._operations.items():
            good = self.good(name)
            yield from self._strangers(good, operation["security"])
            yield from bad_parameters(good, operation)
            if "requestBody" in operation:
                (content,) = operation["requestBody"]["content"].values()
                yield from bad_bodies(good, content["schema"])
            if "{" in path and "404" in operation["responses"]:
                yield good.at(**dict.fromkeys(good.identifiers, NOBODY)).but("nobody", 404)
            yield from self._conditions(good, operation.get("parameters", []))
        yield from self.conflicts()

    def _strangers(self, good: Request, security: list[Mapping[str, list[str]]]) -> Iterator[Bad]:
        """Yield the request of those who are nobody, or may not."""
        if not security:
            return
        if {} not in security:
            yield good.by(lambda _: None).but("no credentials", 401)
        scopes = self._scopes(good.operation)
        for wrong, authorize in (_BAD_TOKENS if scopes else _BAD_CREDENTIALS).items():
            yield good.by(authorize).but(wrong, 401)
        if scopes:
            yield good.by(bearer(_lacking(scopes))).but("no scope", 403)

    def _conditions(self, good: Request, parameters: Iterable[Mapping[str, Any]]) -> Iterator[Bad]:
        """Yield what holds only on a condition that is not met."""
        names = {parameter["name"] for parameter in parameters}
        if "If-Match" in names:
            yield good.under(if_match='"9999"').but("another version", 412)
        if "Idempotency-Key" in names:
            yield good.under(idempotency_key=KEY).but("a key that was used", 422)
            table = self._of(self._given.tables, good.operation)
            yield Bad(good, "a key that is in use", 409, waits_for=table)

    def _scopes(self, name: str) -> frozenset[str]:
        """Return the scopes of which an operation needs one."""
        _, _, operation = self._operations[name]
        return frozenset(
            scope for scheme in operation["security"] for scope in scheme.get("token", [])
        )

    def _of(self, given: Mapping[str, Any], name: str) -> Any:
        _, _, operation = self._operations[name]
        return given.get(name, given.get(operation.get("x-alias-of", name)))


def forged(token: str) -> str:
    """Return a token whose signature is another one."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}"


def _lacking(scopes: frozenset[str]) -> str:
    return f"who lacks {' '.join(sorted(scopes))}"
