"""The stand-in's HTTP: requests in, Kubernetes' answers out, and a kubeconfig to find it by."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from aiohttp import web
from apiserver import KINDS, Cluster, Object, Place, RefusedError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PAGE = 3  # objects in one answer, whatever more was asked for: so that paging is seen


@asynccontextmanager
async def serve(cluster: Cluster, kubeconfig: Path) -> AsyncIterator[str]:
    """Serve a cluster while the block runs, to those who bring its token; it is given the URL."""
    application = web.Application(middlewares=[_refusals(cluster)])
    application.router.add_route("*", "/{path:.*}", _handler(cluster))
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        write_kubeconfig(kubeconfig, url, cluster.token)
        yield url
    finally:
        await runner.cleanup()


def write_kubeconfig(file: Path, url: str, token: str) -> None:
    """Write how to log in; JSON is YAML."""
    context = {"cluster": "here", "user": "operator", "namespace": "here"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": context}],
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "operator", "user": {"token": token}}],
    }
    file.write_text(json.dumps(document))


def _refusals(cluster: Cluster) -> Any:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.headers.get("Authorization") != f"Bearer {cluster.token}":
                raise RefusedError(401, "Unauthorized")  # noqa: TRY301 - it is told as all others
            cluster.take_failure(request.method, request.path)
            if cluster.is_lost(is_done=False):
                raise RefusedError(503, "nobody hears the answer")  # noqa: TRY301 - as above
            answer = await handler(request)
            if cluster.is_lost(is_done=True):
                raise RefusedError(503, "nobody hears the answer")  # noqa: TRY301 - as above
            return answer  # noqa: TRY300 - it can still be lost before
        except RefusedError as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
            body = {"kind": "Status", "code": error.status, "message": error.message}
            return web.json_response(body, status=error.status, headers=headers)

    return guard


def _handler(cluster: Cluster) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        told = _discovery(request.path)
        if told is not None:
            return web.json_response(told)
        place = Place.of(request.path)
        if request.query.get("watch") == "true":
            return await _watch(cluster, place, request)
        if request.method == "GET" and not place.name:
            return web.json_response(_page(cluster, place, request))
        return await _one(cluster, place, request)

    return handle


async def _one(cluster: Cluster, place: Place, request: web.Request) -> web.Response:
    match request.method:
        case "GET":
            return web.json_response(cluster.get(place))
        case "POST":
            return web.json_response(cluster.create(place, await request.json()), status=201)
        case "PUT":
            return web.json_response(cluster.replace(place, await request.json()))
        case "DELETE":
            return web.json_response(cluster.delete(place))
    raise RefusedError(405, "the stand-in does not know this method")


def _has(thing: Object, fields: str) -> bool:
    """Tell whether fields have the values that a selector like ``a.b=c,d=e`` wants."""
    for wanted in filter(None, fields.split(",")):
        path, _, value = wanted.partition("=")
        found: Any = thing
        for name in path.split("."):
            found = found.get(name, {})
        if found != value:
            return False
    return True


def _page(cluster: Cluster, place: Place, request: web.Request) -> Object:
    start = int(request.query.get("continue") or 0)
    found = list(cluster.within(place, request.query.get("labelSelector", "")))
    found = [each for each in found if _has(each, request.query.get("fieldSelector", ""))]
    more = str(start + PAGE) if len(found) > start + PAGE else ""
    metadata = {"resourceVersion": str(len(cluster.changes)), "continue": more}
    kind = KINDS[place.prefix][place.plural]
    version = place.prefix.split("/", 2)[2]
    page = list(islice(found, start, start + PAGE))
    return {"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": page}


async def _watch(cluster: Cluster, place: Place, request: web.Request) -> web.StreamResponse:
    """Stream every change of a collection since a version, one JSON document a line."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    cluster.watched.append(place)
    seen = int(request.query.get("resourceVersion") or 0)
    while True:
        for change, path, thing in cluster.changes[seen:]:
            if place.holds(path):
                line = json.dumps({"type": change, "object": thing})
                await answer.write(f"{line}\n".encode())
        seen = len(cluster.changes)
        await asyncio.sleep(0.02)


def _discovery(path: str) -> Object | None:
    if path == "/version":
        return {"major": "1", "minor": "34"}
    if path == "/api":
        return {"versions": ["v1"]}
    if path == "/apis":
        groups = [prefix.split("/")[2:] for prefix in KINDS if prefix.startswith("/apis/")]
        return {"groups": [_group(*group) for group in groups]}
    if path not in KINDS:
        return None
    return {"resources": [_resource(*entry) for entry in KINDS[path].items()]}


def _group(name: str, version: str) -> Object:
    known = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [known], "preferredVersion": known}


def _resource(plural: str, kind: str) -> Object:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    return {"name": plural, "singularName": "", "namespaced": True, "kind": kind, "verbs": verbs}
