"""From the event loop to a handler's thread in one hop.

uvicorn reads requests on the loop, however slowly they come; a request that is there whole goes
to one of a few threads, which runs Flask from beginning to end. Nothing that blocks runs on the
loop, and no thread waits for a client.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from io import BytesIO
from typing import Any, Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from servicekit.http.thread_pool import Threads, TooLateError
from servicekit.telemetry.shared_metrics import Meter, Reading

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]

TOO_LARGE = "cadastro.body_too_large"  # set in the environ of a request whose body was cut off
QUEUED_A_THREAD = 64  # requests that may wait for each thread before new ones are turned away
QUEUED = 2.0  # seconds that a request may wait for a thread; nobody has begun with it

log = logging.getLogger(__name__)


class Lifecycle(Protocol):
    """What a service does when its process starts and before it ends."""

    def start(self) -> None:
        """Start what runs beside the requests."""

    def stop(self) -> None:
        """Stop it, and close what is open."""


class Bridge:
    """An ASGI application that answers with a WSGI one."""

    def __init__(
        self,
        wsgi: WSGIApplication,
        *,
        lifecycle: Lifecycle,
        threads: int,
        body_limit: int,
        busy: Answer,
    ) -> None:
        """Answer with ``wsgi``, on ``threads`` threads; with ``busy`` when too many wait."""
        self.meter: Meter | None = None  # what counts the answers, if they are counted
        self._wsgi = wsgi
        self._lifecycle = lifecycle
        self._threads = threads
        self._body_limit = body_limit
        self._busy = busy
        self._room = threads * (QUEUED_A_THREAD + 1)
        self._pool: Threads[Answer] = Threads(threads, "handler")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the process's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/-/live":
            await _send(send, (200, [(b"content-type", b"application/json")], b'{"msg":"alive"}'))
            return
        body, whole = await self._body(receive)
        if body is None:
            return
        if self._room == 0:
            self._count({}, self._busy, 0.0)
            await _send(send, self._busy)
            return
        self._room -= 1
        started = time.perf_counter()
        try:
            environ = build_environ(scope, body)
            environ[TOO_LARGE] = not whole
            answer = await self._run(environ)
            self._count(environ, answer, time.perf_counter() - started)
            await _send(send, answer)
        finally:
            self._room += 1

    def readings(self) -> list[Reading]:
        """Return what can be told of the threads and of who waits for one."""
        return [
            Reading("cadastro_handler_threads", "Size of the thread pool.", lambda: self._threads),
            Reading(
                "cadastro_handler_threads_busy",
                "Threads that handle a request.",
                self._busy_threads,
            ),
            Reading(
                "cadastro_requests_queued",
                "Requests waiting for a thread.",
                lambda: self._inside() - self._busy_threads(),
            ),
        ]

    def _inside(self) -> int:
        return self._threads * (QUEUED_A_THREAD + 1) - self._room

    def _busy_threads(self) -> int:
        return min(self._threads, self._inside())

    def _count(self, environ: WSGIEnvironment, answer: Answer, seconds: float) -> None:
        if self.meter is not None:
            self.meter.answered(environ, answer[0], seconds)

    async def _run(self, environ: WSGIEnvironment) -> Answer:
        """Run the application on a thread; turn the request away when none takes it in time."""
        try:
            return await self._pool.run(partial(run, self._wsgi, environ), QUEUED)
        except TooLateError:
            return self._busy

    async def _body(self, receive: Receive) -> tuple[bytes | None, bool]:
        """Return the body and whether it is whole; no body at all for a client that went away."""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None, False
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._body_limit:
                return b"", False
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks), True

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await asyncio.to_thread(self._lifecycle.start)
        except Exception as error:
            log.exception("the service could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        if self.meter is not None:
            self.meter.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self.meter is not None:
            self.meter.stop()
        await asyncio.to_thread(self._lifecycle.stop)
        self._pool.stop()
        await send({"type": "lifespan.shutdown.complete"})


def build_environ(scope: Scope, body: bytes) -> WSGIEnvironment:
    """Return the WSGI environ (PEP 3333) of an ASGI request whose body is there whole."""
    host, port = scope.get("server") or ("localhost", 80)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, raw_value in scope["headers"]:
        key = _USUAL.get(name) or _key(name)
        value = raw_value.decode("latin-1")
        joins = key in environ and key.startswith("HTTP_")
        environ[key] = f"{environ[key]},{value}" if joins else value
    environ["CONTENT_LENGTH"] = str(len(body))  # a chunked body has none, and here it is whole
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def _key(name: bytes) -> str:
    """Return where PEP 3333 has a header."""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


_USUAL = {
    name: _key(name)
    for name in (
        b"accept",
        b"accept-encoding",
        b"authorization",
        b"connection",
        b"content-length",
        b"content-type",
        b"host",
        b"traceparent",
        b"user-agent",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-request-id",
    )
}


def run(wsgi: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Run a WSGI application to its end and return its answer."""
    status = 500
    headers: list[tuple[bytes, bytes]] = []

    def start_response(line: str, pairs: list[tuple[str, str]], *_: object) -> Callable[..., None]:
        nonlocal status, headers
        status = int(line[:3])
        headers = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in pairs]
        return _no_write

    chunks: Iterable[bytes] = wsgi(environ, start_response)
    try:
        return status, headers, b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _no_write(_: bytes) -> None:
    message = "the write callable of PEP 3333 is not offered here"
    raise NotImplementedError(message)


async def _send(send: Send, answer: Answer) -> None:
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
