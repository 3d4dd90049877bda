"""An API that keeps objects in memory, contracts for it, and the command that writes journeys."""

import asyncio
import io
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import yaml

from servicekit.testing import StubHandler
from synthetic.cli import main
from synthetic.probe.catalog import workflow_names
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from synthetic.probe.runner import RunOptions
from tests.support.synthetic.scripted_api import LIMITS

Document = dict[str, Any]
FIRST_ID = 1001  # no example of a contract is an id


@dataclass(slots=True)
class ObjectApi:
    """Collections at paths of an odd length, such as `/things`, and their objects below them."""

    id_name: str = "id"
    chosen_id: str = ""  # the member of a request that becomes the id
    wrapper: str = ""  # the member of a response that has the object
    returns_id: bool = True  # otherwise a creation returns a Location only
    needs_version: bool = False  # a change needs If-Match
    url: str = ""
    objects: dict[str, Document] = field(default_factory=dict)  # by path
    created: int = 0
    requests: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)  # of the header Idempotency-Key

    def new_id(self, body: Document) -> Any:
        """Return the id of a new object."""
        self.created += 1
        return body[self.chosen_id] if self.chosen_id else FIRST_ID + self.created


@contextmanager
def run_object_api(api: ObjectApi) -> Iterator[ObjectApi]:
    """Serve an API on a free port."""

    class Handler(_ObjectHandler):
        served = api

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield api
        server.shutdown()


class _ObjectHandler(StubHandler):
    served: ObjectApi

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        self.served.requests.append(f"{self.command} {parts.path}")
        self.served.keys += self.headers.get_all("Idempotency-Key", [])
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        value = json.loads(body) if body else {}
        if parts.path.count("/") % 2:
            self._serve_collection(parts.path, dict(parse_qsl(parts.query)), value)
        elif parts.path not in self.served.objects:
            self._send(404, {"title": "Not Found"})
        else:
            self._serve_object(parts.path, value)

    def _serve_collection(self, path: str, query: dict[str, str], body: Document) -> None:
        api = self.served
        if self.command == "POST":
            parent = path.rpartition("/")[0]
            if parent and parent not in api.objects:
                self._send(404, {"title": "Not Found"})
                return
            new = api.new_id(body)
            api.objects[f"{path}/{new}"] = {**body, api.id_name: new}
            self._send(201, api.objects[f"{path}/{new}"], f"{path}/{new}")
            return
        below = (found for place, found in api.objects.items() if place.startswith(f"{path}/"))
        self._send(200, [f for f in below if all(str(f.get(n)) == v for n, v in query.items())])

    def _serve_object(self, path: str, body: Document) -> None:
        api = self.served
        found = api.objects[path]
        tag = f'"{len(json.dumps(found))}"'
        if (
            self.command != "GET"
            and api.needs_version
            and self.headers["If-Match"] not in {tag, "*"}
        ):
            self._send(412 if self.headers["If-Match"] else 428, {"title": "Precondition"})
            return
        if self.command == "DELETE":
            for place in [p for p in api.objects if p == path or p.startswith(f"{path}/")]:
                del api.objects[place]
        elif self.command != "GET":
            found.update(body)
        self._send(204 if self.command == "DELETE" else 200, found)

    def _send(self, status: int, value: Any, location: str = "") -> None:
        api = self.served
        is_hidden = bool(location) and not api.returns_id
        if api.wrapper and isinstance(value, dict):
            value = {api.wrapper: value}
        body = b"" if status == 204 or is_hidden else json.dumps(value).encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        if isinstance(value, dict):
            self.send_header("ETag", f'"{len(json.dumps(value))}"')
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve


def crud(
    path: str = "/things",
    parameter: str = "id",
    *,
    body: Document | None = None,
    returned: Document | None = None,
    wrapper: str = "",
    header: str = "",
    methods: str = "post get put delete list",
) -> Document:
    """Return the paths of a collection; ``header`` is one that changes demand."""
    body = body or {"type": "object", "required": ["name"], "properties": {"name": TEXT}}
    returned = returned or {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "name": TEXT},
    }
    one = {"type": "object", "properties": {wrapper: returned}} if wrapper else returned
    request = {"requestBody": {"content": json_content(body)}}
    tagged: Document = {"headers": {"ETag": {"schema": TEXT}}, "content": json_content(one)}
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    above = [{"name": n, "in": "path", "required": True, "schema": TEXT} for n in names]
    demanded = (
        [{"name": header, "in": "header", "required": True, "schema": TEXT}] if header else []
    )
    missing: Document = {"404": {"description": "x", "content": json_content({"type": "object"})}}
    wanted = methods.split()
    item: Document = {
        "parameters": [*above, {"name": parameter, "in": "path", "required": True, "schema": TEXT}],
        "get": {"responses": {"200": {"description": "x", **tagged}, **missing}},
        "put": {**request, "parameters": demanded,
                "responses": {"200": {"description": "x", **tagged}, **missing}},
        "delete": {"parameters": demanded, "responses": {"204": {"description": "x"}, **missing}},
    }  # fmt: skip
    query = [{"name": name, "in": "query", "schema": TEXT} for name in ("limit", "name")]
    collection: Document = {
        "parameters": above,
        "post": {**request, "responses": {"201": {"description": "x", **tagged}}},
        "list": {"parameters": query,
                 "responses": {"200": {"description": "x", "content": json_content(
                     {"type": "array", "items": returned})}}},
    }  # fmt: skip
    kept = {*wanted, "parameters"}
    item = {name: value for name, value in item.items() if name in kept}
    renamed = {"list": "get"}
    collection = {renamed.get(n, n): value for n, value in collection.items() if n in kept}
    return {path: collection, f"{path}/{{{parameter}}}": item}


TEXT = {"type": "string"}


def json_content(schema: Document) -> Document:
    """Return the content of a JSON body."""
    return {"application/json": {"schema": schema}}


def write_contract(folder: Path, paths: Document, name: str = "api.yaml", **members: Any) -> Path:
    """Write a contract of OpenAPI 3.1, and return its path."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "paths": paths,
        **members,
    }
    file = folder / name
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


@dataclass(frozen=True, slots=True)
class Finished:
    """The exit code and the output of a command."""

    code: int
    stdout: str
    stderr: str


def synthetic(*arguments: str | Path) -> Finished:
    """Run a command in this process; `probe` would take its signals."""
    output, errors = io.StringIO(), io.StringIO()
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(output))
        stack.enter_context(redirect_stderr(errors))
        stack.enter_context(mock.patch.object(sys, "argv", ["synthetic", *map(str, arguments)]))
        try:
            code = main()
        except SystemExit as error:  # of an option that argparse refuses
            code = int(error.code or 0)
    return Finished(code, output.getvalue(), errors.getvalue())


async def command(*arguments: str | Path) -> Finished:
    """Run a command while servers of the same loop respond."""
    return await asyncio.to_thread(synthetic, *arguments)


def replay_all(file: Path, url: str, **inputs: Any) -> list[RunResult]:
    """Run all workflows of a document once."""
    options = RunOptions(inputs)
    return [
        replay(name, url, limits=LIMITS, file=file, options=options)
        for name in workflow_names(file)
    ]


def written(file: Path) -> Document:
    """Return a written document."""
    found: Document = yaml.safe_load(file.read_text())
    return found
