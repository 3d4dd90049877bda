"""HTTP resources of monitors for programs: JSON, badges and the feed of incidents."""

from collections.abc import Callable
from datetime import datetime

import orjson
from aiohttp import web

from synthetic.operator import badge, incident_feed, monitor_api
from synthetic.operator.monitor_cache import MonitorCache, MonitorView
from synthetic.operator.resources import Object
from synthetic.operator.status_article import STATES

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


def add_routes(
    application: web.Application,
    monitors: MonitorCache,
    operator: str,
    clock: Callable[[], datetime],
) -> None:
    """Add the resources that `monitor_api.yaml` describes, and the description itself."""

    async def describe(_: web.Request) -> web.Response:
        return _json(monitor_api.contract())

    async def list_monitors(request: web.Request) -> web.Response:
        namespace, group, state = map(request.query.get, ("namespace", "group", "state"))
        if state is not None and state not in STATES:
            raise _problem(400, f"state is one of {', '.join(STATES)}, not {state[:50]!r}")
        now = clock()
        found = [
            monitor_api.to_summary(view, now)
            for view in monitors
            if namespace in {None, view.namespace}
            and group in {None, view.spec.group}
            and state in {None, view.state}
        ]
        return _json({"monitors": found})

    async def get_monitor(request: web.Request) -> web.Response:
        return _json(monitor_api.to_details(_find(monitors, request), clock()))

    async def get_badge(request: web.Request) -> web.Response:
        text = badge.render(_find(monitors, request), clock())
        return web.Response(text=text, content_type="image/svg+xml", headers=HEADERS)

    async def get_feed(_: web.Request) -> web.Response:
        body = incident_feed.render(monitors, operator, clock())
        headers = {**HEADERS, "Content-Type": incident_feed.MEDIA_TYPE}
        return web.Response(body=body, headers=headers)

    application.router.add_get("/api/v1/openapi.json", describe)
    application.router.add_get("/api/v1/monitors", list_monitors)
    application.router.add_get("/api/v1/monitors/{namespace}/{name}", get_monitor)
    application.router.add_get("/badge/{namespace}/{name}.svg", get_badge)
    application.router.add_get(f"/{incident_feed.PATH}", get_feed)


def _find(monitors: MonitorCache, request: web.Request) -> MonitorView:
    namespace, name = request.match_info["namespace"], request.match_info["name"]
    found = monitors.get((namespace, name))
    if found is None:
        raise _problem(404, f"there is no monitor {name[:100]!r} in {namespace[:100]!r}")
    return found


def _json(value: Object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json", headers=HEADERS)


def _problem(status: int, detail: str) -> web.HTTPException:
    """Return an error as RFC 9457 describes it."""
    kind = {400: web.HTTPBadRequest, 404: web.HTTPNotFound}[status]
    body = {"title": kind().reason, "status": status, "detail": detail}
    text = orjson.dumps(body).decode()
    return kind(text=text, content_type="application/problem+json", headers=HEADERS)
