"""HTTP client that validates every response against the contract."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Self

import httpx
import jsonschema_rs

from servicekit.openapi.contract import dereference, load_contract, operations
from servicekit.testing.recorder import personal_members, record, record_secrets
from servicekit.testing.server import TIMEOUT


class ContractClient(httpx.Client):
    """Client that raises ``AssertionError`` for a response that violates the contract."""

    def __init__(self, base_url: str, contract: Path, suite: str, token: str | None = None) -> None:
        """Call ``base_url``; record the responses under the name ``suite``."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        super().__init__(base_url=base_url, headers=headers, timeout=TIMEOUT)
        self._operations = Operations.of(contract)
        self._suite = suite
        self.event_hooks = {"request": [self._record_secrets], "response": [self._check]}

    def as_caller(self, token: str | None) -> Self:
        """Return a copy of the client with another token or none."""
        other = type(self).__new__(type(self))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        httpx.Client.__init__(other, base_url=self.base_url, headers=headers, timeout=TIMEOUT)
        other._operations, other._suite = self._operations, self._suite  # noqa: SLF001 - the same class
        other.event_hooks = {"request": [other._record_secrets], "response": [other._check]}  # noqa: SLF001
        return other

    def operation_of(self, response: httpx.Response) -> str | None:
        """Return the operationId of a response, if its path is in the contract."""
        operation = self._operations.find(response.request.method, response.request.url.path)
        return None if operation is None else operation.operation_id

    def _record_secrets(self, request: httpx.Request) -> None:
        record_secrets(request, self._operations.personal_members)

    def _check(self, response: httpx.Response) -> None:
        response.read()
        operation = self._operations.find(response.request.method, response.request.url.path)
        if operation is not None:
            operation.check(response)
            record(self._suite, operation.operation_id, response.status_code)


class Operations:
    """Operations of a contract, found by method and path."""

    @classmethod
    @cache
    def of(cls, contract: Path) -> Self:
        """Return the operations of a contract; a process reads each contract once."""
        return cls(contract)

    def __init__(self, contract: Path) -> None:
        """Read the contract."""
        document = dereference(load_contract(contract))
        self.personal_members = personal_members(document)
        self._all = [
            (method.upper(), _path_pattern(path), _ResponseValidator(operation))
            for path, method, operation in operations(document)
        ]

    def find(self, method: str, path: str) -> "_ResponseValidator | None":
        """Return the operation of a method and a path, if there is one."""
        for candidate, pattern, operation in self._all:
            if candidate == method and pattern.match(path):
                return operation
        return None


class _ResponseValidator:
    """Validates the responses of one operation."""

    def __init__(self, operation: dict[str, Any]) -> None:
        self.operation_id: str = operation["operationId"]
        self._responses = operation["responses"]
        self._validators: dict[tuple[int, str], jsonschema_rs.Draft4Validator] = {}

    def check(self, response: httpx.Response) -> None:
        """Raise ``AssertionError`` unless the contract describes the response."""
        where = f"{self.operation_id} returned {response.status_code}"
        described = self._responses.get(str(response.status_code))
        assert described is not None, f"{where}, which is not declared: {response.text[:500]}"
        for name, header in described.get("headers", {}).items():
            if header.get("required"):
                assert name in response.headers, f"{where} without {name}"
        content = described.get("content")
        if not content:
            assert not response.content, f"{where} with an undeclared body"
            return
        media = response.headers.get("content-type", "").partition(";")[0]
        assert media in content, f"{where} as {media!r}, which is not declared"
        errors = list(
            self._validator(response.status_code, media, content).iter_errors(response.json())
        )
        assert not errors, f"{where}: {[str(error.message) for error in errors]}"

    def _validator(
        self, status: int, media: str, content: dict[str, Any]
    ) -> jsonschema_rs.Draft4Validator:
        if (status, media) not in self._validators:
            schema = content[media]["schema"]
            self._validators[status, media] = jsonschema_rs.Draft4Validator(schema)
        return self._validators[status, media]


def _path_pattern(path: str) -> re.Pattern[str]:
    steps = re.split(r"\{[^}]+\}", path)
    return re.compile("[^/]+".join(re.escape(step) for step in steps) + r"/?\Z")
