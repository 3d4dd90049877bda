"""What a test run notes for the checks at its end: what was seen, and what no log may hold."""

import base64
import json
import logging
import os
from io import StringIO
from pathlib import Path
from typing import TextIO

import httpx

from servicekit.telemetry.logs import BufferedStreamHandler

LEDGER = "CADASTRO_LEDGER"  # the folder in which operations and statuses that were seen are kept
LOGS = "CADASTRO_TEST_LOGS"  # the folder for what was logged, and for what must not be in there
SECRET_FIELDS = ("cpf", "email", "password", "token", "access_token")


def record(suite: str, operation_id: str, status: int) -> None:
    """Note in the ledger that ``suite`` has seen an operation answer with a status."""
    folder = os.environ.get(LEDGER)
    if folder:
        line = f"{suite} {operation_id} {status}\n"
        with (Path(folder) / f"{os.getpid()}.txt").open("a") as file:
            file.write(line)


def remember(request: httpx.Request) -> None:
    """Note what a request carries that no log may hold; the check at the end looks for it."""
    folder = os.environ.get(LOGS)
    if not folder:
        return
    secrets = _secrets_of(request.headers.get("Authorization", ""))
    secrets += [value for _, value in request.url.params.multi_items()]
    if request.headers.get("Content-Type") == "application/json":
        try:
            body = json.loads(request.read())
        except (ValueError, RecursionError):  # some tests send what nobody can read
            body = None
        if isinstance(body, dict):
            secrets += [body[name] for name in SECRET_FIELDS if isinstance(body.get(name), str)]
    with (Path(folder) / f"secrets-{os.getpid()}.jsonl").open("a") as file:
        file.writelines(f"{json.dumps(secret)}\n" for secret in secrets)


class _Copied(StringIO):
    """Writes to a stream, and the same to a file, which nobody has to close."""

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


def keep_logs() -> None:
    """Write all that this process logs from now on to the folder for it, too, if there is one."""
    folder = os.environ.get(LOGS)
    for handler in logging.getLogger().handlers:
        if (
            folder
            and isinstance(handler, BufferedStreamHandler)
            and not isinstance(handler.stream, _Copied)
        ):
            handler.setStream(_Copied(handler.stream, Path(folder) / f"{os.getpid()}.log"))


def _secrets_of(authorization: str) -> list[str]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return [base64.b64decode(value).decode().partition(":")[2]]
        except ValueError:
            return []
    return [value]
