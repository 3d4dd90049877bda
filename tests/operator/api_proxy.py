"""A gate between an operator and its API server: it counts writes, refuses, kills, or shuts."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import aiohttp
import kopf
from aiohttp import web
from yarl import URL

from synthetic.operator.api_client import connect

PASSED_ON = ("Accept", "Content-Type")
REFUSALS = (429, 500)  # in turn
UNAVAILABLE = 503
RETRY_AFTER = "1"  # seconds


@dataclass(frozen=True)
class Kill:
    """Which write an operator dies of, and whether the API server hears of that write."""

    write: int
    is_heard: bool
    victim: Callable[[], None]


@dataclass
class Gate:
    """What passes is passed on with the rights of KUBECONFIG, and nobody else's."""

    server: str = ""
    port: int = 0
    is_shut: bool = False
    every: int = 0  # one of so many requests is refused; 0: none
    kill: Kill | None = None
    requests: int = 0
    writes: int = 0
    refused: int = 0
    _refusals: Iterator[int] = field(default_factory=count)
    _open: set[asyncio.Transport] = field(default_factory=set)
    _login: kopf.AiohttpSession | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def write_kubeconfig(self, file: Path) -> None:
        """Write how to come through; JSON is YAML."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "gate",
            "contexts": [{"name": "gate", "context": {"cluster": "gate", "user": "gate"}}],
            "clusters": [{"name": "gate", "cluster": {"server": self.url}}],
            "users": [{"name": "gate", "user": {"token": "none is asked for"}}],
        }
        file.write_text(json.dumps(document))

    async def start(self) -> web.AppRunner:
        """Log in to the API server, and listen."""
        self._login = connect()
        self.server = self._login.server
        application = web.Application(client_max_size=16 * 1024**2)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        return runner

    async def stop(self, runner: web.AppRunner) -> None:
        """Close all, watches too, which nothing else would end."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await runner.cleanup()
        assert self._login is not None
        await self._login.aiohttp_session.close()

    async def shut(self) -> None:
        """Answer nobody any more, and end what goes on."""
        self.is_shut = True
        for transport in list(self._open):
            transport.abort()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        self.requests += 1
        is_fatal = self._is_fatal(request.method)
        if self.is_shut and self.requests % 2:
            return self._refuse(UNAVAILABLE)  # as a load balancer says it of a server that is away
        if self.is_shut or (is_fatal and not self._hears_the_last()):
            return _cut(transport)
        if self.every and self.requests % self.every == 0:
            return self._refuse(REFUSALS[next(self._refusals) % len(REFUSALS)])
        self._open.add(transport)
        try:
            return await self._pass_on(request, is_fatal=is_fatal)
        except (aiohttp.ClientError, OSError):
            return _cut(transport)
        finally:
            self._open.discard(transport)

    def _is_fatal(self, method: str) -> bool:
        self.writes += method != "GET"
        return method != "GET" and self.kill is not None and self.kill.write == self.writes

    def _hears_the_last(self) -> bool:
        """Kill at once when the API server is not to hear of the write; tell whether it is."""
        assert self.kill is not None
        if not self.kill.is_heard:
            self.kill.victim()
        return self.kill.is_heard

    def _refuse(self, status: int) -> web.Response:
        self.refused += 1
        body = {"kind": "Status", "code": status, "message": f"refused with {status}"}
        return web.json_response(body, status=status, headers={"Retry-After": RETRY_AFTER})

    async def _pass_on(self, request: web.Request, *, is_fatal: bool) -> web.StreamResponse:
        assert self._login is not None
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        url = URL(self.server + request.raw_path, encoded=True)
        body = await request.read()
        forever = aiohttp.ClientTimeout(total=None)
        async with self._login.aiohttp_session.request(
            request.method, url, data=body or None, headers=headers, timeout=forever
        ) as answer:
            if is_fatal and self.kill is not None:
                await answer.read()
                self.kill.victim()
            back = web.StreamResponse(status=answer.status)
            back.content_type = answer.content_type
            await back.prepare(request)
            async for chunk in answer.content.iter_any():
                await back.write(chunk)
            await back.write_eof()
            return back


@contextmanager
def gate() -> Iterator[tuple[Gate, Callable[[], None]]]:
    """Have a gate in a thread of its own while the block runs, and what shuts it."""
    loop, made = asyncio.new_event_loop(), Gate()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def shut() -> None:
        asyncio.run_coroutine_threadsafe(made.shut(), loop).result()

    try:
        runner = asyncio.run_coroutine_threadsafe(made.start(), loop).result()
        try:
            yield made, shut
        finally:
            asyncio.run_coroutine_threadsafe(made.stop(runner), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _cut(transport: asyncio.Transport) -> web.Response:
    transport.abort()
    return web.Response()
