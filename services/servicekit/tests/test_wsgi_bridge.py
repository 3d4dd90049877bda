"""The bridge: bodies that are cut off, clients that go away, a service that is full."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from servicekit.http.wsgi_bridge import QUEUE_DEPTH_PER_THREAD, TOO_LARGE, Message, WsgiBridge

BUSY = (503, [(b"retry-after", b"1")], b"busy")


class FakeLifespan:
    """A service with nothing to start; it keeps what happened."""

    def __init__(self, *, fails: bool = False) -> None:
        """Fail to start, if it ``fails``."""
        self.events: list[str] = []
        self._fails = fails

    def start(self) -> None:
        """Start."""
        self.events.append("start")
        if self._fails:
            message = "no"
            raise RuntimeError(message)

    def stop(self) -> None:
        """Stop."""
        self.events.append("stop")


def bridge(wsgi: Any, lifespan: FakeLifespan | None = None) -> WsgiBridge:
    """Return a bridge of one thread that takes bodies of ten bytes."""
    app = WsgiBridge(wsgi, threads=1, body_limit=10, overload_response=BUSY)
    app.lifespan = lifespan
    return app


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with what came."""
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
    """Return an ASGI ``receive`` that hands out messages."""
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return receive


async def ask(app: WsgiBridge, request: dict[str, Any], *messages: Message) -> list[Message]:
    """Send a request and return what was answered."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(request, receiving(*messages), send)
    return sent


def chunk(body: bytes, *, more: bool = False) -> Message:
    """Return a piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_pieces_arrives_whole() -> None:
    app = bridge(echo)
    start, end = asyncio.run(ask(app, scope(), chunk(b"ab", more=True), chunk(b"cd")))
    assert (start["status"], end["body"]) == (200, b"abcd|False")


def test_a_body_over_the_limit_is_cut_off_and_marked() -> None:
    app = bridge(echo)
    _, end = asyncio.run(ask(app, scope(), chunk(b"x" * 8, more=True), chunk(b"x" * 8)))
    assert end["body"] == b"|True"


def test_a_client_that_goes_away_is_not_answered() -> None:
    app = bridge(echo)
    gone: Message = {"type": "http.disconnect"}
    assert asyncio.run(ask(app, scope(), chunk(b"a", more=True), gone)) == []


def test_a_header_that_comes_twice_is_joined_and_a_path_keeps_its_letters() -> None:
    app = bridge(echo)
    request = scope("/é", [(b"a", b"1"), (b"a", b"2")])
    start, _ = asyncio.run(ask(app, request, chunk(b"")))
    assert (b"x-a", b"1,2") in start["headers"]
    assert (b"x-path", "/é".encode()) in start["headers"]


def test_a_full_service_turns_away_at_once_and_recovers() -> None:
    released = threading.Event()

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        released.wait(10)
        return echo(environ, start_response)

    async def crowd() -> list[int]:
        app = bridge(slow)
        room = QUEUE_DEPTH_PER_THREAD + 1
        waiting = [asyncio.create_task(ask(app, scope(), chunk(b""))) for _ in range(room)]
        await asyncio.sleep(0)
        turned_away = (await ask(app, scope(), chunk(b"")))[0]["status"]
        alive = (await ask(app, scope("/-/live"), chunk(b"")))[0]["status"]
        released.set()
        answered = {(await task)[0]["status"] for task in waiting}
        again = (await ask(app, scope(), chunk(b"")))[0]["status"]
        return [turned_away, alive, *answered, again]

    assert asyncio.run(crowd()) == [503, 200, 200, 200]


def test_a_request_that_no_thread_takes_in_time_is_turned_away_and_never_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("servicekit.http.wsgi_bridge.QUEUE_TIMEOUT", 0.05)
    released, begun = threading.Event(), []

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun.append(environ["PATH_INFO"])
        released.wait(10)
        return echo(environ, start_response)

    async def crowd() -> list[int]:
        app = bridge(slow)
        first = asyncio.create_task(ask(app, scope("/first"), chunk(b"")))
        await asyncio.sleep(0)
        late = (await ask(app, scope("/late"), chunk(b"")))[0]["status"]
        released.set()
        return [late, (await first)[0]["status"]]

    assert asyncio.run(crowd()) == [503, 200]
    assert begun == ["/first"]


def live(lifespan: FakeLifespan) -> list[str]:
    """Live through a process's start and end; return the answers' types."""
    messages: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = asyncio.run(ask(bridge(echo, lifespan), {"type": "lifespan"}, *messages))
    return [message["type"] for message in sent]


def test_a_process_starts_and_stops_what_runs_beside_it() -> None:
    lifespan = FakeLifespan()
    assert live(lifespan) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert lifespan.events == ["start", "stop"]


def test_a_process_that_cannot_start_says_so() -> None:
    assert live(FakeLifespan(fails=True)) == ["lifespan.startup.failed"]
