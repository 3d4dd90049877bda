"""An HTTP server with scripted responses, and Arazzo documents for it."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from servicekit.testing import StubHandler
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from synthetic.probe.runner import Limits

Document = dict[str, Any]
OPERATIONS = "abcdef"  # GET /a and POST /a to /f; the operationIds are a and post-a
LIMITS = Limits(timeout=30.0, cleanup=30.0, retries=0)  # seconds
ANY = {"description": "any", "content": {"application/json": {}, "application/xml": {}}}


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; without a status the connection is closed instead."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


BAD, GOOD = Reply(503), Reply()
PASSED, FAILED = "passed", "failed"  # results of a run


class ScriptedApi:
    """Replies by method and path; the last reply of a route repeats. An unscripted route is 200."""

    def __init__(self) -> None:
        """Start without a script."""
        self.url = ""
        self.replies: dict[str, list[Reply]] = {}
        self.requests: list[tuple[str, str, Mapping[str, str], str]] = []
        self._served: Counter[str] = Counter()

    @property
    def calls(self) -> list[str]:
        """The received requests in order, such as `GET /a`."""
        return [f"{method} {path}" for method, path, _, _ in self.requests]

    def reply_to(self, method: str, path: str) -> Reply:
        """Return the next reply of a route."""
        route = f"{method} {path.partition('?')[0]}"
        replies = self.replies.get(route, [Reply()])
        self._served[route] += 1
        return replies[min(self._served[route], len(replies)) - 1]


@contextmanager
def run_scripted_api() -> Iterator[ScriptedApi]:
    """Serve a scripted API on a free port."""
    api = ScriptedApi()

    class Handler(StubHandler):
        def respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            api.requests.append((self.command, self.path, dict(self.headers), body))
            _send(self, api.reply_to(self.command, self.path))

        do_GET = do_POST = do_DELETE = respond

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield api
        server.shutdown()


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    if not reply.status:
        handler.close_connection = True
        return
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
    handler.send_response(reply.status)
    headers = {"Content-Type": "application/json", **reply.headers}
    for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(text.encode())


def write_contract(folder: Path, name: str = "api.yaml") -> None:
    """Write a contract whose operations accept and return anything."""
    parameters = [
        *({"name": name, "in": "query"} for name in ("q", "r")),
        {"name": "id", "in": "path", "required": True},
    ]
    paths: Document = {
        f"/{letter}": {
            method: {
                "operationId": letter if method == "get" else f"{method}-{letter}",
                "parameters": parameters[:2],
                "responses": {"default": ANY},
            }
            for method in ("get", "post")
        }
        for letter in OPERATIONS
    }
    paths["/things/{id}"] = {
        "parameters": parameters[2:],
        "delete": {"operationId": "things.delete", "responses": {"default": ANY}},
    }
    contract = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths}
    (folder / name).write_text(json.dumps(contract))


def write_arazzo(
    folder: Path, *workflows: Document, name: str = "doc.arazzo.yaml", **members: Any
) -> Path:
    """Write an Arazzo document and its contract; return the document's path."""
    write_contract(folder)
    document = {
        "arazzo": "1.0.1",
        "info": {"title": "x", "version": "1"},
        "sourceDescriptions": [{"name": "api", "url": "api.yaml", "type": "openapi"}],
        "workflows": [*workflows],
        **members,
    }
    path = folder / name
    path.write_text(json.dumps(document, indent=1))
    return path


def workflow(*steps: Document, workflow_id: str = "w", **members: Any) -> Document:
    """Return a workflow."""
    return {"workflowId": workflow_id, "steps": [*steps], **members}


def step(step_id: str, operation_id: str = "", **members: Any) -> Document:
    """Return a step; without an operation it calls that of its own name."""
    targets = {"operationPath", "workflowId"} & members.keys()
    call = {} if targets else {"operationId": operation_id or step_id}
    return {"stepId": step_id, **call, **members}


def expect(*conditions: str) -> list[Document]:
    """Return criteria of simple conditions."""
    return [{"condition": condition} for condition in conditions]


def run_workflow(
    api: ScriptedApi, file: Path, name: str = "w", limits: Limits = LIMITS
) -> RunResult:
    """Replay a workflow of a document."""
    return replay(name, api.url, limits=limits, file=file)
