"""Invalid requests for every operation of a service and every error that its contract declares.

Most cases are derived from the contract: each omits a required part, exceeds a limit or causes a
declared error. A new operation or a new limit therefore needs no code here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx

from servicekit.openapi.contract import dereference, load_contract, operations
from servicekit.testing.invalid_requests import invalid_bodies, invalid_parameters
from servicekit.testing.issuer import SCOPE
from servicekit.testing.request import USER, Authorize, InvalidRequest, Request, bearer
from servicekit.testing.server import CONTRACTS

MISSING_ID = 2**62  # id of no row
KEY = "a-key-that-was-used"  # idempotency key that each operation with keys has used
EXPIRED = "expired"  # name of a token that expires during the test

Send = Callable[..., httpx.Response]  # has the signature of ``httpx.Client.request``

_BAD_TOKENS: Mapping[str, Authorize] = {
    "another scheme": lambda tokens: f"Basic {tokens[USER]}",
    "nonsense": lambda _: "Bearer nonsense",
    "a forged token": lambda tokens: f"Bearer {forge_signature(tokens[USER])}",
    "an expired token": bearer(EXPIRED),
}
_BAD_CREDENTIALS: Mapping[str, Authorize] = {
    "another scheme": bearer(USER),
    "nonsense": lambda _: "Basic !!!",
}


@dataclass(frozen=True)
class CaseFixtures:
    """Data for valid requests that the contract does not contain.

    Bodies, tables and credentials are keyed by operation, and apply to its aliases, too.
    """

    identifiers: Mapping[str, int] = field(default_factory=dict)  # of the paths
    bodies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)  # written to by operations with keys
    credentials: Mapping[str, Authorize] = field(
        default_factory=dict
    )  # of operations without tokens
    scopes: Mapping[str, str] = field(default_factory=dict)  # of additional tokens, by name


class InvalidRequestCases(ABC):
    """Requests that one service must reject, and valid requests between them."""

    service: ClassVar[str]  # name

    def __init__(self, fixtures: CaseFixtures) -> None:
        """Load the contract of the service."""
        self._fixtures = fixtures
        contract = dereference(load_contract(CONTRACTS / f"{self.service}.yaml"))
        self._operations = {
            operation["operationId"]: (path, method, operation)
            for path, method, operation in operations(contract)
        }

    def new_write(self, request: Request) -> Request:
        """Return a valid write that does not conflict with its earlier repetitions."""
        return request

    @abstractmethod
    def conflicts(self) -> Iterable[InvalidRequest]:
        """Return conflicts and violations of domain rules, which the contract does not contain."""

    @abstractmethod
    def exercise(self, send: Send) -> Iterable[httpx.Response]:
        """Send a valid request of each operation that can reject requests."""

    def declared(self) -> set[tuple[str, int]]:
        """Return the pairs of operation and 4xx status that the contract declares."""
        return {
            (name, int(status))
            for name, (_, _, operation) in self._operations.items()
            for status in operation["responses"]
            if status.startswith("4")
        }

    def covered(self) -> set[tuple[str, int]]:
        """Return the pairs of operation and status that have an invalid request."""
        return {(case.request.operation, case.status) for case in self.invalid_requests()}

    def tokens(self) -> dict[str, str]:
        """Return the scopes of all tokens by name, with one token for each missing scope."""
        needed = {scopes for scopes in map(self._scopes, self._operations) if scopes}
        every = frozenset(SCOPE.split()).union(*needed)
        lacking = {_lacking(scopes): " ".join(sorted(every - scopes)) for scopes in needed}
        return {USER: SCOPE, **lacking, **self._fixtures.scopes}

    def valid(self, name: str) -> Request:
        """Return a valid request of an operation."""
        path, method, operation = self._operations[name]
        authorize = self._of(self._fixtures.credentials, name) or bearer(USER)
        valid = Request(name, method.upper(), path, self._fixtures.identifiers, authorize)
        if "requestBody" not in operation:
            return valid
        (media,) = operation["requestBody"]["content"]
        members = self._of(self._fixtures.bodies, name)
        return valid.with_headers(content_type=media).with_body(**members)

    def invalid_requests(self) -> Iterator[InvalidRequest]:
        """Yield every invalid request of every operation."""
        for name, (path, method, operation) in self._operations.items():
            valid = self.valid(name)
            yield from self._unauthorized(valid, operation["security"])
            yield from invalid_parameters(valid, operation)
            if "requestBody" in operation:
                (content,) = operation["requestBody"]["content"].values()
                yield from invalid_bodies(valid, content["schema"])
            if "{" in path and "404" in operation["responses"]:
                missing = dict.fromkeys(valid.identifiers, MISSING_ID)
                yield valid.with_path(**missing).expect(404, "a missing id")
            yield from self._failed_conditions(valid, method, operation.get("parameters", []))
        yield from self.conflicts()

    def _unauthorized(
        self, valid: Request, security: list[Mapping[str, list[str]]]
    ) -> Iterator[InvalidRequest]:
        """Yield requests without valid credentials or without a sufficient scope."""
        if not security:
            return
        if {} not in security:
            yield valid.as_user(lambda _: None).expect(401, "no credentials")
        scopes = self._scopes(valid.operation)
        for label, authorize in (_BAD_TOKENS if scopes else _BAD_CREDENTIALS).items():
            yield valid.as_user(authorize).expect(401, label)
        if scopes:
            yield valid.as_user(bearer(_lacking(scopes))).expect(403, "no scope")

    def _failed_conditions(
        self, valid: Request, method: str, parameters: Iterable[Mapping[str, Any]]
    ) -> Iterator[InvalidRequest]:
        """Yield requests with a stale entity tag or a used idempotency key."""
        names = {parameter["name"] for parameter in parameters}
        if "If-Match" in names:
            yield valid.with_headers(if_match='"9999"').expect(412, "another version")
        if "If-None-Match" in names and method != "get":
            yield valid.with_headers(if_none_match="*").expect(412, "an excluded version")
        if "Idempotency-Key" in names:
            yield valid.with_headers(idempotency_key=KEY).expect(422, "a key that was used")
            table = self._of(self._fixtures.tables, valid.operation)
            yield InvalidRequest(valid, "a key that is in use", 409, blocked_on=table)

    def _scopes(self, name: str) -> frozenset[str]:
        """Return the scopes of an operation, any of which is sufficient."""
        _, _, operation = self._operations[name]
        return frozenset(
            scope for scheme in operation["security"] for scope in scheme.get("token", [])
        )

    def _of(self, by_operation: Mapping[str, Any], name: str) -> Any:
        _, _, operation = self._operations[name]
        return by_operation.get(name, by_operation.get(operation.get("x-alias-of", name)))


def forge_signature(token: str) -> str:
    """Return a token with an invalid signature."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}"


def _lacking(scopes: frozenset[str]) -> str:
    return f"lacks {' '.join(sorted(scopes))}"
