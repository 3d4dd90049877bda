"""Recorder of responses, secrets and logs of a test run, for the checks at its end."""

import base64
import json
import logging
import os
from collections.abc import Collection, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import httpx

from servicekit.openapi.contract import operations
from servicekit.telemetry.logs import BufferedStreamHandler

LEDGER = "CADASTRO_LEDGER"  # folder for the operations and statuses that tests received
LOGS = "CADASTRO_TEST_LOGS"  # folder for logs, and for secrets that they must not contain
PERSONAL = "x-personal"  # mark of a schema whose values no log may contain


def record(suite: str, operation_id: str, status: int) -> None:
    """Record in the ledger that ``suite`` received a status from an operation."""
    folder = os.environ.get(LEDGER)
    if folder:
        line = f"{suite} {operation_id} {status}\n"
        with (Path(folder) / f"{os.getpid()}.txt").open("a") as file:
            file.write(line)


def personal_members(contract: Mapping[str, Any]) -> frozenset[str]:
    """Return the members of request bodies whose schema in a dereferenced contract has the mark."""
    return frozenset(
        name
        for _, _, operation in operations(contract)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for name, schema in content["schema"].get("properties", {}).items()
        if schema.get(PERSONAL)
    )


def record_secrets(request: httpx.Request, members: Collection[str]) -> None:
    """Record the values of a request that no log may contain; ``members`` are those of its body."""
    folder = os.environ.get(LOGS)
    if not folder:
        return
    secrets = _secrets_of(request.headers.get("Authorization", ""))
    secrets += [value for _, value in request.url.params.multi_items()]
    if request.headers.get("Content-Type") == "application/json":
        try:
            body = json.loads(request.read())
        except (ValueError, RecursionError):  # some tests send malformed JSON
            body = None
        if isinstance(body, dict):
            secrets += [body[name] for name in members if isinstance(body.get(name), str)]
    with (Path(folder) / f"secrets-{os.getpid()}.jsonl").open("a") as file:
        file.writelines(f"{json.dumps(secret)}\n" for secret in secrets)


class _Tee(StringIO):
    """Writes to a stream and appends the same text to a file."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        super().__init__()
        self._stream = stream
        self._path = path

    def write(self, text: str) -> int:
        with self._path.open("a") as file:
            file.write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


def copy_logs() -> None:
    """Copy all further logs of this process to the folder ``LOGS``, if it is set."""
    folder = os.environ.get(LOGS)
    for handler in logging.getLogger().handlers:
        if (
            folder
            and isinstance(handler, BufferedStreamHandler)
            and not isinstance(handler.stream, _Tee)
        ):
            handler.setStream(_Tee(handler.stream, Path(folder) / f"{os.getpid()}.log"))


def _secrets_of(authorization: str) -> list[str]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return [base64.b64decode(value).decode().partition(":")[2]]
        except ValueError:
            return []
    return [value]
