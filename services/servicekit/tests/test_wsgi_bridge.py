"""WSGI bridge: truncated bodies, disconnected clients, full queues and the lifespan."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from servicekit.http.rejection_delay import LONGEST, SHORTEST, rejection_delay
from servicekit.http.wsgi_bridge import (
    QUEUE_DEPTH_PER_THREAD,
    TOO_LARGE,
    Message,
    WsgiBridge,
)

BUSY = (503, [(b"retry-after", b"1")], b"busy")


class FakeLifespan:
    """Lifespan that records its events."""

    def __init__(self, *, fails: bool = False) -> None:
        """Raise in ``start`` if ``fails``."""
        self.events: list[str] = []
        self._fails = fails

    def start(self) -> None:
        """Start."""
        self.events.append("start")
        if self._fails:
            raise RuntimeError("no")

    def stop(self) -> None:
        """Stop."""
        self.events.append("stop")


def bridge(wsgi: Any, lifespan: FakeLifespan | None = None) -> WsgiBridge:
    """Return a bridge with one thread and a body limit of ten bytes."""
    app = WsgiBridge(wsgi, threads=1, body_limit=10, overload_response=BUSY)
    app.lifespan = lifespan
    return app


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Return the body and parts of the environ."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("X-Path", environ["PATH_INFO"]), ("X-A", environ.get("HTTP_A", ""))])
    return [body, b"|", str(environ[TOO_LARGE]).encode()]


def scope(path: str = "/", headers: Iterable[tuple[bytes, bytes]] = ()) -> dict[str, Any]:
    """Return the scope of a request."""
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "http_version": "1.1",
        "headers": list(headers),
    }


def receiving(*messages: Message) -> Callable[[], Any]:
    """Return an ASGI ``receive`` that returns these messages."""
    remaining = list(messages)

    async def receive() -> Message:
        return remaining.pop(0)

    return receive


async def request(app: WsgiBridge, asgi_scope: dict[str, Any], *messages: Message) -> list[Message]:
    """Send a request and return the sent messages."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(asgi_scope, receiving(*messages), send)
    return sent


def chunk(body: bytes, *, more: bool = False) -> Message:
    """Return the message for a chunk of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def test_joins_the_chunks_of_a_body() -> None:
    app = bridge(echo)
    start, end = asyncio.run(request(app, scope(), chunk(b"ab", more=True), chunk(b"cd")))
    assert (start["status"], end["body"]) == (200, b"abcd|False")


def test_drops_and_marks_a_body_over_the_limit() -> None:
    app = bridge(echo)
    _, end = asyncio.run(request(app, scope(), chunk(b"x" * 8, more=True), chunk(b"x" * 8)))
    assert end["body"] == b"|True"


def test_sends_no_response_to_a_disconnected_client() -> None:
    app = bridge(echo)
    disconnect: Message = {"type": "http.disconnect"}
    assert asyncio.run(request(app, scope(), chunk(b"a", more=True), disconnect)) == []


def test_joins_repeated_headers_and_preserves_non_ascii_paths() -> None:
    app = bridge(echo)
    repeated = scope("/é", [(b"a", b"1"), (b"a", b"2")])
    start, _ = asyncio.run(request(app, repeated, chunk(b"")))
    assert (b"x-a", b"1,2") in start["headers"]
    assert (b"x-path", "/é".encode()) in start["headers"]


def test_full_queue_returns_the_overload_response_and_recovers() -> None:
    released = threading.Event()

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        released.wait(10)
        return echo(environ, start_response)

    async def send_requests() -> list[int]:
        app = bridge(slow)
        capacity = QUEUE_DEPTH_PER_THREAD + 1
        waiting = [asyncio.create_task(request(app, scope(), chunk(b""))) for _ in range(capacity)]
        await asyncio.sleep(0)
        rejected = (await request(app, scope(), chunk(b"")))[0]["status"]
        alive = (await request(app, scope("/-/live"), chunk(b"")))[0]["status"]
        released.set()
        statuses = {(await task)[0]["status"] for task in waiting}
        again = (await request(app, scope(), chunk(b"")))[0]["status"]
        return [rejected, alive, *statuses, again]

    assert asyncio.run(send_requests()) == [503, 200, 200, 200]


def test_request_that_times_out_in_the_queue_never_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("servicekit.http.wsgi_bridge.QUEUE_TIMEOUT", 0.05)
    released, started = threading.Event(), []

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started.append(environ["PATH_INFO"])
        released.wait(10)
        return echo(environ, start_response)

    async def send_requests() -> list[int]:
        app = bridge(slow)
        first = asyncio.create_task(request(app, scope("/first"), chunk(b"")))
        await asyncio.sleep(0)
        late = (await request(app, scope("/late"), chunk(b"")))[0]["status"]
        released.set()
        return [late, (await first)[0]["status"]]

    assert asyncio.run(send_requests()) == [503, 200]
    assert started == ["/first"]


def run_lifespan(lifespan: FakeLifespan) -> list[str]:
    """Start and stop a service; return the types of the sent messages."""
    messages: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = asyncio.run(request(bridge(echo, lifespan), {"type": "lifespan"}, *messages))
    return [message["type"] for message in sent]


def test_runs_the_lifespan_of_the_service() -> None:
    lifespan = FakeLifespan()
    assert run_lifespan(lifespan) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert lifespan.events == ["start", "stop"]


def test_reports_a_failed_startup() -> None:
    assert run_lifespan(FakeLifespan(fails=True)) == ["lifespan.startup.failed"]


def test_a_429_is_sent_after_later_responses_and_holds_no_place() -> None:
    def reject(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/reject":
            start_response("429 Too Many Requests", [])
            return [b""]
        return echo(environ, start_response)

    async def send_requests() -> tuple[set[bool], set[int]]:
        app = bridge(reject)
        rejected = [
            asyncio.create_task(request(app, scope("/reject"), chunk(b"")))
            for _ in range(QUEUE_DEPTH_PER_THREAD + 1)
        ]
        await asyncio.sleep(0)
        status = 503
        while status == 503:  # the requests that will be rejected fill the queue
            status = (await request(app, scope(), chunk(b"")))[0]["status"]
            await asyncio.sleep(0.001)
        assert status == 200
        are_done = {task.done() for task in rejected}
        return are_done, {(await task)[0]["status"] for task in rejected}

    assert asyncio.run(send_requests()) == ({False}, {429})


def test_rejections_are_delayed_by_random_times() -> None:
    delays = {rejection_delay() for _ in range(100)}
    assert (
        len(delays) > 90
    )  # so the requests of a caller with many connections do not return at once
    assert min(delays) >= SHORTEST
    assert max(delays) <= LONGEST


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 415])
def test_a_rejection_is_delayed_only_while_other_requests_are_handled(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    started, released = threading.Event(), threading.Event()
    delays = count_delays(monkeypatch, 0.0)
    app = rejecting(status, started, released)

    async def send_requests() -> None:
        bridged = WsgiBridge(app, threads=2, body_limit=10, overload_response=BUSY)
        await request(bridged, scope("/reject"), chunk(b""))
        assert len(delays) == 0
        other = asyncio.create_task(request(bridged, scope(), chunk(b"")))
        await asyncio.to_thread(started.wait, 10)
        await request(bridged, scope("/reject"), chunk(b""))
        assert len(delays) == 1
        released.set()
        await other
        await request(bridged, scope("/reject"), chunk(b""))
        assert len(delays) == 1

    asyncio.run(send_requests())


def test_a_rejection_is_delayed_while_as_many_as_there_are_threads_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started, released = threading.Event(), threading.Event()
    delays = count_delays(monkeypatch, 3600.0)
    app = rejecting(400, started, released)

    async def send_requests() -> None:
        bridged = WsgiBridge(app, threads=2, body_limit=10, overload_response=BUSY)

        async def rejected() -> "asyncio.Task[list[Message]]":
            before = len(delays)
            task = asyncio.create_task(request(bridged, scope("/reject"), chunk(b"")))
            while not task.done() and len(delays) == before:  # noqa: ASYNC110 - a list has no event
                await asyncio.sleep(0.001)
            return task

        other = asyncio.create_task(request(bridged, scope(), chunk(b"")))
        await asyncio.to_thread(started.wait, 10)
        held = [await rejected(), await rejected()]
        released.set()
        await other
        held.append(await rejected())
        assert len(delays) == 3
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        await (await rejected())
        assert len(delays) == 3

    asyncio.run(send_requests())


def count_delays(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[float]:
    """Delay rejections by some seconds, and return a list that gets an entry for each."""
    delays: list[float] = []

    def delay() -> float:
        delays.append(seconds)
        return seconds

    monkeypatch.setattr("servicekit.http.wsgi_bridge.rejection_delay", delay)
    return delays


def rejecting(
    status: int, started: threading.Event, released: threading.Event
) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Return an application that rejects `/reject`, and holds other requests."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/reject":
            start_response(f"{status} Rejected", [])
            return [b""]
        started.set()
        released.wait(10)
        return echo(environ, start_response)

    return app
