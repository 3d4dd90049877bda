"""The operator's HTTP server: status page, monitors as JSON, metrics and health checks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from synthetic.operator import status_page
from synthetic.operator.exposition import exposition
from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.monitor_routes import add_routes
from synthetic.operator.operator_metrics import REGISTRY

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Health(Protocol):
    """Liveness and readiness of the operator."""

    @property
    def alive(self) -> bool:
        """True while the operator makes progress."""

    @property
    def ready(self) -> bool:
        """True once all monitors have been listed."""


def build_application(cache: MonitorCache, health: Health, operator: str = "") -> web.Application:
    """Return the web application; ``operator`` identifies the operator in the cluster."""

    async def index(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=SECURITY_HEADERS)
        response.content_type, response.charset = "text/html", "utf-8"
        if request.method == "HEAD":
            return response
        response.enable_compression()
        await response.prepare(request)
        with suppress(ConnectionResetError):  # readers that leave are no error
            for part in status_page.parts(cache, _now(), reloads="reload" in request.query):
                await response.write(part.encode())
                await asyncio.sleep(0)  # lets health checks through
        return response

    async def scrape(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE_LATEST})
        if request.method == "HEAD":
            return response
        await response.prepare(request)
        with suppress(ConnectionResetError):
            for part in exposition(cache, _now()):
                await response.write(part)
                await asyncio.sleep(0)  # lets health checks through
            await response.write(generate_latest(REGISTRY))
        return response

    async def live(_: web.Request) -> web.Response:
        return _health_response(health.alive)

    async def ready(_: web.Request) -> web.Response:
        return _health_response(health.ready)

    application = web.Application()
    application.router.add_get("/", index)
    application.router.add_get("/metrics", scrape)
    application.router.add_get("/-/live", live)
    application.router.add_get("/-/ready", ready)
    add_routes(application, cache, operator, _now)
    return application


@asynccontextmanager
async def serve(
    port: int, cache: MonitorCache, health: Health, operator: str = ""
) -> AsyncIterator[int]:
    """Serve while the block runs, and yield the port; 0 selects a free one."""
    runner = web.AppRunner(build_application(cache, health, operator), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, port=port)
        await site.start()
        # with port 0, IPv4 and IPv6 have different ports: yield the one of IPv4
        yield min(runner.addresses, key=len)[1]
    finally:
        await runner.cleanup()


def _health_response(is_ok: bool) -> web.Response:  # noqa: FBT001 - its only argument
    return web.Response(text="ok\n" if is_ok else "no\n", status=200 if is_ok else 503)


def _now() -> datetime:
    return datetime.now(UTC)
