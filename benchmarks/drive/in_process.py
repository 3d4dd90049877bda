"""The clients service driven in one process without a network, for an instruction counter.

It reads lines `operation count` from standard input, performs that many requests, and writes
`done` to standard error.
"""

import asyncio
import gc
import os
import sys
from typing import Any

from benchmarks.drive.request_plan import RequestFactory, request_factory
from clients.app import create_app

SUCCESS = {200, 201}
READY_ATTEMPTS = 1000
READY_INTERVAL_SECONDS = 0.2


async def serve_lines(token: str, rows: int) -> None:
    """Perform the requests of each line until standard input ends."""
    app = create_app()
    lifespan = _Lifespan()
    running = asyncio.create_task(app({"type": "lifespan"}, lifespan.receive, lifespan.send))
    await lifespan.started.wait()
    await _wait_until_ready(app, request_factory("fetch", token, rows))
    gc.collect()
    gc.freeze()  # as gunicorn's configuration does
    _signal("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        operation, count = line.split()
        next_request = request_factory(operation, token, rows)
        for _ in range(int(count)):
            status = await _call(app, next_request())
            if status not in SUCCESS:
                sys.exit(f"{operation} returned {status}")
        _signal("done")
    lifespan.stopping.set()
    await running


def _signal(word: str) -> None:
    sys.stderr.write(f"{word}\n")
    sys.stderr.flush()


class _Lifespan:
    """The server's side of the ASGI lifespan protocol."""

    def __init__(self) -> None:
        self.started, self.stopping = asyncio.Event(), asyncio.Event()
        self._startup_sent = False

    async def receive(self) -> dict[str, Any]:
        if self._startup_sent:
            await self.stopping.wait()
            return {"type": "lifespan.shutdown"}
        self._startup_sent = True
        return {"type": "lifespan.startup"}

    async def send(self, _: Any) -> None:  # noqa: ANN401 - an ASGI message
        self.started.set()


async def _wait_until_ready(app: Any, next_request: RequestFactory) -> None:  # noqa: ANN401 - an ASGI application
    for _ in range(READY_ATTEMPTS):  # the keys are loaded in the background
        if await _call(app, next_request()) in SUCCESS:
            return
        await asyncio.sleep(READY_INTERVAL_SECONDS)
    sys.exit("the application is not ready")


async def _call(app: Any, raw: bytes) -> int:  # noqa: ANN401 - an ASGI application
    """Pass a request to the application, and return the status of the response."""
    statuses: list[int] = []
    scope, body = _asgi_request(raw)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - as above
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


def _asgi_request(raw: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.decode().split(" ")
    path, _, query = target.partition("?")
    pairs = [line.partition(b": ") for line in lines]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower(), value) for name, _, value in pairs],
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    return scope, body


if __name__ == "__main__":
    asyncio.run(serve_lines(os.environ["TOKEN"], int(os.environ["ROWS"])))
