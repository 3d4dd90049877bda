"""Our application driven in one process, without a network: what an instruction counter runs.

It reads lines `operation count` from standard input, does so many requests, and answers `done`.
"""

import asyncio
import gc
import os
import sys
from typing import Any

from benchmarks.drive.request_plan import Plan, plan
from clients.app import create_app

GOOD = {200, 201}
ATTEMPTS = 1000


async def replay(token: str, rows: int) -> None:
    """Follow the lines until there are no more."""
    app = create_app()
    lifespan = _Lifespan()
    running = asyncio.create_task(app({"type": "lifespan"}, lifespan.receive, lifespan.send))
    await lifespan.started.wait()
    await _until_ready(app, plan("fetch", token, rows))
    gc.collect()
    gc.freeze()  # as gunicorn's configuration has it
    _tell("ready")
    while order := await asyncio.to_thread(sys.stdin.readline):
        operation, count = order.split()
        requests = plan(operation, token, rows)
        for _ in range(int(count)):
            status = await _once(app, requests())
            if status not in GOOD:
                sys.exit(f"{operation} was answered with {status}")
        _tell("done")
    lifespan.stopping.set()
    await running


def _tell(word: str) -> None:
    sys.stderr.write(f"{word}\n")
    sys.stderr.flush()


class _Lifespan:
    """The server's side of an application's start and end."""

    def __init__(self) -> None:
        self.started, self.stopping = asyncio.Event(), asyncio.Event()
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if self._asked:
            await self.stopping.wait()
            return {"type": "lifespan.shutdown"}
        self._asked = True
        return {"type": "lifespan.startup"}

    async def send(self, _: Any) -> None:  # noqa: ANN401 - an ASGI message
        self.started.set()


async def _until_ready(app: Any, requests: Plan) -> None:  # noqa: ANN401 - an ASGI application
    for _ in range(ATTEMPTS):  # the keys are still being fetched
        if await _once(app, requests()) in GOOD:
            return
        await asyncio.sleep(0.2)
    sys.exit("the application is not ready")


async def _once(app: Any, raw: bytes) -> int:  # noqa: ANN401 - an ASGI application
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
    seen: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - as above
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    await app(scope, receive, send)
    return seen[0]


if __name__ == "__main__":
    asyncio.run(replay(os.environ["TOKEN"], int(os.environ["ROWS"])))
