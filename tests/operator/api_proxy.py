"""Proxy between an operator and its API server: it counts, rejects, kills, or stops responding."""

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

from synthetic.operator.api_session import connect

FORWARDED_HEADERS = ("Accept", "Content-Type")
REJECTIONS = (429, 500)  # in turn
UNAVAILABLE = 503
RETRY_AFTER = "1"  # seconds


@dataclass(frozen=True)
class Kill:
    """A write that kills the operator, before or after the API server processes it."""

    write: int
    is_forwarded: bool
    victim: Callable[[], None]


@dataclass
class ApiProxy:
    """Forwards requests with the credentials of KUBECONFIG."""

    server: str = ""
    port: int = 0
    is_stopped: bool = False
    reject_every: int = 0  # every n-th request is rejected; 0: none
    kill: Kill | None = None
    requests: int = 0
    writes: int = 0
    rejected: int = 0
    _rejections: Iterator[int] = field(default_factory=count)
    _open: set[asyncio.Transport] = field(default_factory=set)
    _login: kopf.AiohttpSession | None = None

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def write_kubeconfig(self, file: Path) -> None:
        """Write a kubeconfig for the proxy, as JSON, which is YAML too."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
            "clusters": [{"name": "proxy", "cluster": {"server": self.url}}],
            "users": [{"name": "proxy", "user": {"token": "unused"}}],
        }
        file.write_text(json.dumps(document))

    async def start(self) -> web.AppRunner:
        """Connect to the API server, and listen."""
        self._login = connect()
        self.server = self._login.server
        application = web.Application(client_max_size=16 * 1024**2)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        return runner

    async def close(self, runner: web.AppRunner) -> None:
        """Close all connections, with their endless watches."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await runner.cleanup()
        assert self._login is not None
        await self._login.aiohttp_session.close()

    async def stop(self) -> None:
        """Reject or abort every request from now on, and abort the open ones."""
        self.is_stopped = True
        for transport in list(self._open):
            transport.abort()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        self.requests += 1
        is_fatal = self._is_fatal(request.method)
        if self.is_stopped and self.requests % 2:
            return self._reject(UNAVAILABLE)  # like a load balancer without a backend
        if self.is_stopped or (is_fatal and not self._deliver_last()):
            return _abort(transport)
        if self.reject_every and self.requests % self.reject_every == 0:
            return self._reject(REJECTIONS[next(self._rejections) % len(REJECTIONS)])
        self._open.add(transport)
        try:
            return await self._forward(request, is_fatal=is_fatal)
        except (aiohttp.ClientError, OSError):
            return _abort(transport)
        finally:
            self._open.discard(transport)

    def _is_fatal(self, method: str) -> bool:
        self.writes += method != "GET"
        return method != "GET" and self.kill is not None and self.kill.write == self.writes

    def _deliver_last(self) -> bool:
        """Kill the operator now unless the write is forwarded; return whether it is."""
        assert self.kill is not None
        if not self.kill.is_forwarded:
            self.kill.victim()
        return self.kill.is_forwarded

    def _reject(self, status: int) -> web.Response:
        self.rejected += 1
        body = {"kind": "Status", "code": status, "message": f"rejected with {status}"}
        return web.json_response(body, status=status, headers={"Retry-After": RETRY_AFTER})

    async def _forward(self, request: web.Request, *, is_fatal: bool) -> web.StreamResponse:
        assert self._login is not None
        headers = {
            name: request.headers[name] for name in FORWARDED_HEADERS if name in request.headers
        }
        url = URL(self.server + request.raw_path, encoded=True)
        body = await request.read()
        no_timeout = aiohttp.ClientTimeout(total=None)
        async with self._login.aiohttp_session.request(
            request.method, url, data=body or None, headers=headers, timeout=no_timeout
        ) as upstream:
            if is_fatal and self.kill is not None:
                await upstream.read()
                self.kill.victim()
            response = web.StreamResponse(status=upstream.status)
            response.content_type = upstream.content_type
            await response.prepare(request)
            async for chunk in upstream.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


@contextmanager
def api_proxy() -> Iterator[tuple[ApiProxy, Callable[[], None]]]:
    """Run a proxy in a thread during the block; yield it and a function that stops it."""
    loop, proxy = asyncio.new_event_loop(), ApiProxy()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result()

    try:
        runner = asyncio.run_coroutine_threadsafe(proxy.start(), loop).result()
        try:
            yield proxy, stop
        finally:
            asyncio.run_coroutine_threadsafe(proxy.close(runner), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _abort(transport: asyncio.Transport) -> web.Response:
    transport.abort()
    return web.Response()
