"""ASGI application that runs a WSGI application on a thread pool.

uvicorn reads requests on the event loop, including slow ones. A complete request moves to a thread,
which runs Flask from start to end. So no blocking code runs on the loop, and no thread waits for a
client.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from servicekit.http.rejection_delay import rejection_delay
from servicekit.http.thread_pool import QueueTimeout, ThreadPool
from servicekit.http.wsgi_environ import Scope, build_environ, source_address
from servicekit.telemetry.shared_metrics import Instrument, SharedMetrics

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawResponse = tuple[int, list[tuple[bytes, bytes]], bytes]  # status, headers, body

TOO_LARGE = "cadastro.body_too_large"  # environ key, set for a request with a truncated body
QUEUE_DEPTH_PER_THREAD = 64  # requests that may wait for each thread; further ones get a 503
QUEUE_TIMEOUT = 2.0  # seconds that a request may wait for a thread
# Delayed while half of the threads are busy or as many rejections as threads wait; a 429 always is.
# The wait takes no thread and no place in the queue.
REJECTIONS = frozenset(
    (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    )
)

log = logging.getLogger(__name__)


class Lifespan(Protocol):
    """Start and end of the parts of a service that run beside the requests."""

    def start(self) -> None:
        """Start background work; called after the fork of a worker."""

    def stop(self) -> None:
        """Stop background work and release resources."""


class WsgiBridge:
    """An ASGI application that delegates to a WSGI application."""

    def __init__(
        self,
        wsgi: WSGIApplication,
        *,
        threads: int,
        body_limit: int,
        overload_response: RawResponse,
    ) -> None:
        """Run ``wsgi`` on ``threads`` threads; a full queue gets ``overload_response``."""
        self.lifespan: Lifespan | None = None  # set it and ``metrics`` before serving
        self.metrics: SharedMetrics | None = None
        self._wsgi = wsgi
        self._threads = threads
        self._body_limit = body_limit
        self._overload_response = overload_response
        self._free_slots = threads * (QUEUE_DEPTH_PER_THREAD + 1)
        self._delayed = 0  # rejections
        self._pool: ThreadPool[RawResponse] = ThreadPool(threads, "handler")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the lifespan of the process."""
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._handle(scope, receive, send)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/-/live":
            await _send(send, (200, [(b"content-type", b"application/json")], b'{"msg":"alive"}'))
            return
        is_declined = _offered_length(scope) > self._body_limit
        body, is_complete = (b"", False) if is_declined else await self._read_body(receive)
        if body is None:
            return
        if self._free_slots == 0:
            self._count({}, self._overload_response, 0.0)
            await _send(send, self._overload_response)
            return
        self._free_slots -= 1
        started = time.perf_counter()
        try:
            environ = build_environ(scope, body)
            environ[TOO_LARGE] = not is_complete
            response = await self._run(environ)
            self._count(environ, response, time.perf_counter() - started)
        finally:
            self._free_slots += 1
        if self._is_delayed(response[0]):
            await self._delay()
        if is_declined:  # the caller may or may not send the body, so no other request can follow
            status, headers, content = response
            response = status, [*headers, (b"connection", b"close")], content
        await _send(send, response)

    async def has_free_thread(self, within: float) -> bool:
        """Return whether a thread becomes free within some seconds, in its turn."""
        try:
            await self._pool.run(_nothing, within)
        except QueueTimeout:
            return False
        return True

    def instruments(self) -> list[Instrument]:
        """Return the metrics of the thread pool and its queue."""
        return [
            Instrument(
                "cadastro_handler_threads", "Size of the thread pool.", lambda: self._threads
            ),
            Instrument(
                "cadastro_handler_threads_busy",
                "ThreadPool that handle a request.",
                self._busy_threads,
            ),
            Instrument(
                "cadastro_requests_queued",
                "Requests waiting for a thread.",
                lambda: self._in_flight() - self._busy_threads(),
            ),
        ]

    def _is_delayed(self, status: int) -> bool:
        is_busy = self._in_flight() >= max(1, self._threads // 2) or self._delayed >= self._threads
        return status == HTTPStatus.TOO_MANY_REQUESTS or (is_busy and status in REJECTIONS)

    async def _delay(self) -> None:
        self._delayed += 1
        try:
            await asyncio.sleep(rejection_delay())
        finally:
            self._delayed -= 1

    def _in_flight(self) -> int:
        return self._threads * (QUEUE_DEPTH_PER_THREAD + 1) - self._free_slots

    def _busy_threads(self) -> int:
        return min(self._threads, self._in_flight())

    def _count(self, environ: WSGIEnvironment, response: RawResponse, seconds: float) -> None:
        if self.metrics is not None:
            self.metrics.observe_request(environ, response[0], seconds)

    async def _run(self, environ: WSGIEnvironment) -> RawResponse:
        """Run the application on a thread; return the overload response on a queue time-out."""
        try:
            work = partial(call_wsgi, self._wsgi, environ)
            return await self._pool.run(work, QUEUE_TIMEOUT, source_address(environ))
        except QueueTimeout:
            return self._overload_response

    async def _read_body(self, receive: Receive) -> tuple[bytes | None, bool]:
        """Return the body and whether it is complete; ``None`` if the client disconnected."""
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

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            if self.lifespan is not None:
                await asyncio.to_thread(self.lifespan.start)
        except Exception as error:
            log.exception("the service could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        if self.metrics is not None:
            self.metrics.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self.metrics is not None:
            self.metrics.stop()
        if self.lifespan is not None:
            await asyncio.to_thread(self.lifespan.stop)
        self._pool.stop()
        await send({"type": "lifespan.shutdown.complete"})


def _nothing() -> RawResponse:
    return 204, [], b""


def _offered_length(scope: Scope) -> int:
    """Return the length of a body that the caller sends only if asked to (RFC 9110, 10.1.1)."""
    headers = dict(scope["headers"])
    return int(headers.get(b"content-length", b"0")) if b"expect" in headers else 0


def call_wsgi(wsgi: WSGIApplication, environ: WSGIEnvironment) -> RawResponse:
    """Call a WSGI application and return its complete response."""
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
    raise NotImplementedError("the write callable of PEP 3333 is not supported")


async def _send(send: Send, response: RawResponse) -> None:
    status, headers, body = response
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
