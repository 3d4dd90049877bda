"""A server with one canned response, the contract of one operation, and a journey that calls it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import yaml

from servicekit.testing import StubHandler
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from tests.support.synthetic.mock_shop import LONG_LIMITS

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as the server received it; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class MockApi:
    """The response of every request, and the requests in order."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    url: str = ""
    requests: list[ReceivedRequest] = field(default_factory=list)


@contextmanager
def run_mock_api(api: MockApi) -> Iterator[MockApi]:
    """Serve a mock API on a free port."""

    class Handler(StubHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            api.requests.append(ReceivedRequest(self.command, self.path, headers, body))
            self.send_response(api.status)
            for name, value in api.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(api.body)))
            self.end_headers()
            self.wfile.write(api.body)

        do_GET = do_POST = do_PUT = do_QUERY = _serve

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_call(
    folder: Path,
    operation: Document,
    step: Document | None = None,
    *,
    path: str = "/x",
    method: str = "get",
    contract: Document | None = None,
    inputs: Document | None = None,
) -> Path:
    """Write a contract of one operation and a journey that calls it; return its path."""
    described = {"operationId": "call", "responses": {"200": {"description": "d"}}, **operation}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "API", "version": "1"},
        "paths": {path: {method: described}},
        **(contract or {}),
    }
    (folder / "api.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    journey = {
        "arazzo": "1.1.0",
        "info": {"title": "API", "version": "1"},
        "sourceDescriptions": [{"name": "api", "url": "api.yaml", "type": "openapi"}],
        "workflows": [
            {
                "workflowId": "calls",
                "inputs": {"type": "object", "properties": inputs or {}},
                "steps": [{"stepId": "call", "operationId": "call", **(step or {})}],
            }
        ],
    }
    file = folder / "calls.arazzo.yaml"
    file.write_text(yaml.safe_dump(journey, sort_keys=False))
    return file


def call(file: Path, api: MockApi | None = None) -> tuple[RunResult, list[ReceivedRequest]]:
    """Run the journey of a file against a mock API; return the result and the requests."""
    with run_mock_api(api or MockApi()) as served:
        result = replay("calls", served.url, None, LONG_LIMITS, file=file)
    return result, served.requests


def check_response(
    folder: Path,
    response: Document,
    body: bytes,
    *headers: tuple[str, str],
    contract: Document | None = None,
) -> RunResult:
    """Return the result of a call whose declared response and actual response are given."""
    operation = {"responses": {"200": {"description": "d", **response}}}
    file = write_call(folder, operation, contract=contract)
    return call(file, MockApi(headers=list(headers), body=body))[0]
