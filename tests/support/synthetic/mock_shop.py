"""A small HTTP service with injectable faults, its contract, and a journey."""

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from servicekit.testing import StubHandler
from synthetic.probe.credentials import Credentials
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from synthetic.probe.runner import Limits

CREDENTIALS = Credentials({"client-secret": "not-secret-in-tests"})
LONG_LIMITS = Limits(timeout=60.0, cleanup=60.0, retries=0)  # seconds
SHORT_LIMITS = Limits(timeout=1.0, cleanup=1.0, retries=0)  # for servers that hang

THING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string", "nullable": True, "maxLength": 40},
    },
}
CONTRACT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "MockShop", "version": "1.0.0"},
    "paths": {
        "/things": {
            "post": {
                "operationId": "create",
                "security": [{"token": ["things:write"]}],
                "responses": {
                    "201": {
                        "description": "made",
                        "content": {"application/json": {"schema": {"$ref": "parts.yaml#/Thing"}}},
                    }
                },
            }
        },
        "/things/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True}],
            "get": {
                "operationId": "fetch",
                "parameters": [{"name": "by", "in": "query"}],
                "responses": {"200": {"$ref": "#/components/responses/Thing"}},
            },
            "delete": {
                "operationId": "delete",
                "security": [{"token": ["things:write"]}],
                "responses": {"204": {"description": "gone"}},
            },
        },
    },
    "components": {
        "responses": {
            "Thing": {
                "description": "a thing",
                "headers": {
                    "X-Version": {"required": True, "schema": {"type": "integer"}},
                    "X-Colour": {"schema": {"type": "string", "pattern": "^[a-z]+$"}},
                },
                "content": {"application/json": {"schema": {"$ref": "parts.yaml#/Thing"}}},
            }
        },
        "securitySchemes": {
            "token": {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}},
            }
        },
    },
}
JOURNEY: dict[str, Any] = {
    "arazzo": "1.0.1",
    "info": {"title": "MockShop", "version": "1.0.0"},
    "sourceDescriptions": [{"name": "shop", "url": "shop.yaml", "type": "openapi"}],
    "workflows": [
        {
            "workflowId": "things",
            "inputs": {
                "type": "object",
                "properties": {"name": {"type": "string", "x-generate": "name"}},
            },
            "steps": [
                {
                    "stepId": "make",
                    "operationId": "$sourceDescriptions.shop.create",
                    "requestBody": {"payload": {"name": "$inputs.name"}},
                    "successCriteria": [{"condition": "$statusCode == 201"}],
                    "outputs": {"id": "$response.body#/id"},
                    "x-cleanup": {
                        "stepId": "unmake",
                        "operationId": "$sourceDescriptions.shop.delete",
                        "parameters": [
                            {"name": "id", "in": "path", "value": "$steps.make.outputs.id"}
                        ],
                    },
                },
                {
                    "stepId": "look",
                    "operationId": "$sourceDescriptions.shop.fetch",
                    "parameters": [
                        {"name": "id", "in": "path", "value": "$steps.make.outputs.id"},
                        {"name": "by", "in": "query", "value": "{$inputs.name} & co"},
                    ],
                    "successCriteria": [
                        {"condition": "$statusCode == 200"},
                        {"condition": "$response.body#/name == $inputs.name"},
                    ],
                },
            ],
        }
    ],
}


def write_journey(folder: Path, change: Callable[[dict[str, Any]], Any] = lambda _: None) -> Path:
    """Write the contract and a changed journey into a folder; return the journey's path."""
    document = copy.deepcopy(JOURNEY)
    change(document)
    (folder / "shop.yaml").write_text(yaml.safe_dump(CONTRACT))
    (folder / "parts.yaml").write_text(yaml.safe_dump({"Thing": THING}))
    path = folder / "things.arazzo.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


class MockShop:
    """Things in memory; ``faults`` replaces the response of a route."""

    def __init__(self) -> None:
        self.things: dict[int, str] = {}
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []
        self.faults: dict[str, Callable[[BaseHTTPRequestHandler], object]] = {}
        self.url = ""

    @property
    def calls(self) -> list[str]:
        """The received requests in order."""
        return [f"{method} {path.partition('?')[0]}" for method, path, _ in self.requests]


def respond(
    handler: BaseHTTPRequestHandler,
    status: int,
    document: Any = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send a complete response."""
    body = b"" if document is None else json.dumps(document).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    if status != 204:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def send_raw(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    """Send raw bytes, and close the connection."""
    handler.wfile.write(data)
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send an endless response, one byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    while True:
        handler.wfile.write(b" ")
        time.sleep(0.05)


def _handler(shop: MockShop) -> type[BaseHTTPRequestHandler]:
    class Handler(StubHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            shop.requests.append((self.command, self.path, dict(self.headers)))
            route = f"{self.command} /{self.path.split('/')[1].partition('?')[0]}"
            fault = shop.faults.get(route)
            if fault is not None:
                fault(self)
            elif route == "POST /token":
                respond(self, 200, {"access_token": "t.t.t", "expires_in": 300})
            elif route == "POST /things":
                shop.things[len(shop.requests)] = json.loads(body)["name"]
                number, name = next(reversed(shop.things.items()))
                respond(self, 201, {"id": number, "name": name})
            else:
                self._one(int(self.path.split("/")[2].partition("?")[0]))

        def _one(self, number: int) -> None:
            if self.command == "DELETE":
                respond(self, 204 if shop.things.pop(number, None) else 404)
            else:
                document = {"id": number, "name": shop.things[number]}
                respond(self, 200, document, {"X-Version": "1"})

        do_GET = do_POST = do_DELETE = _serve

    return Handler


@contextmanager
def run_mock_shop() -> Iterator[MockShop]:
    """Serve a mock shop on a free port."""
    shop = MockShop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(shop))
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def replay_journey(url: str, file: Path, limits: Limits = LONG_LIMITS) -> RunResult:
    """Replay the journey of ``file`` against a mock shop."""
    return replay("things", url, CREDENTIALS, limits, file=file)
