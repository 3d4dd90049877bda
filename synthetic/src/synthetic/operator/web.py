"""The operator's web port: the status page, the metrics, and whether it lives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from synthetic.operator import monitor_metrics, status_page
from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.operator_metrics import REGISTRY

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Health(Protocol):
    """What the operator says of itself."""

    @property
    def alive(self) -> bool:
        """Whether it still works."""

    @property
    def ready(self) -> bool:
        """Whether it knows all monitors."""


def application(store: MonitorCache, health: Health) -> web.Application:
    """Return the application."""
    own = CollectorRegistry()
    monitor_metrics.register(own, store, _now)

    async def index(_: web.Request) -> web.Response:
        text = status_page.render(store, _now())
        return web.Response(text=text, content_type="text/html", headers=SECURITY_HEADERS)

    async def scrape(_: web.Request) -> web.Response:
        body = generate_latest(own) + generate_latest(REGISTRY)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def live(_: web.Request) -> web.Response:
        return _health_response(health.alive)

    async def ready(_: web.Request) -> web.Response:
        return _health_response(health.ready)

    made = web.Application()
    made.router.add_get("/", index)
    made.router.add_get("/metrics", scrape)
    made.router.add_get("/-/live", live)
    made.router.add_get("/-/ready", ready)
    return made


@asynccontextmanager
async def serve(port: int, store: MonitorCache, health: Health) -> AsyncIterator[int]:
    """Serve while the block runs; it is given the port, which is a free one for 0."""
    runner = web.AppRunner(application(store, health), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, port=port)
        await site.start()
        # with port 0, IPv4 and IPv6 get a port each: the one of IPv4 is told
        yield min(runner.addresses, key=len)[1]
    finally:
        await runner.cleanup()


def _health_response(well: bool) -> web.Response:  # noqa: FBT001 - the answer is about it alone
    return web.Response(text="ok\n" if well else "no\n", status=200 if well else 503)


def _now() -> datetime:
    return datetime.now(UTC)
