"""A fake Kubernetes API server: ``FakeCluster`` over HTTP, and a kubeconfig for it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.support.synthetic.fake_cluster import (
    CLUSTER_SCOPED,
    KINDS,
    ApiStatusError,
    FakeCluster,
    Object,
    ObjectPath,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PAGE_SIZE = 3  # objects in one response, whatever the limit: short lists have several pages too


@asynccontextmanager
async def serve(cluster: FakeCluster, kubeconfig: Path) -> AsyncIterator[str]:
    """Serve a cluster to clients with its token while the block runs; yield the URL."""
    application = web.Application(middlewares=[_error_middleware(cluster)])
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
    """Write a kubeconfig as JSON, which is valid YAML."""
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


def _error_middleware(cluster: FakeCluster) -> Any:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.headers.get("Authorization") != f"Bearer {cluster.token}":
                raise ApiStatusError(401, "Unauthorized")  # noqa: TRY301 - handled below like every other error
            cluster.record_request(request.method, request.path)
            if cluster.is_unresponsive(is_handled=False):
                raise ApiStatusError(503, "simulated outage")  # noqa: TRY301 - as above
            response = await handler(request)
            if cluster.is_unresponsive(is_handled=True):
                raise ApiStatusError(503, "simulated outage")  # noqa: TRY301 - as above
            return response  # noqa: TRY300 - the outage may begin before
        except ApiStatusError as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
            body = {"kind": "Status", "code": error.status, "message": error.message}
            return web.json_response(body, status=error.status, headers=headers)

    return guard


def _handler(cluster: FakeCluster) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        discovery = _discovery(request.path)
        if discovery is not None:
            return web.json_response(discovery)
        target = ObjectPath.of(request.rel_url.raw_path)
        if request.method == "GET" and not target.name:
            cluster.queries.append((target.plural, dict(request.query)))
        if request.query.get("watch") == "true":
            return await _watch(cluster, target, request)
        if request.method == "GET" and not target.name:
            return web.json_response(_page(cluster, target, request))
        return await _handle_object(cluster, target, request)

    return handle


async def _handle_object(
    cluster: FakeCluster, target: ObjectPath, request: web.Request
) -> web.Response:
    match request.method:
        case "GET" if target.part == "log":
            cluster.get(target)
            if target.name not in cluster.logs:
                raise ApiStatusError(400, "the container is waiting to start")
            return web.Response(text=cluster.logs[target.name])
        case "GET":
            return web.json_response(cluster.get(target))
        case "POST":
            return web.json_response(cluster.create(target, await request.json()), status=201)
        case "PUT":
            return web.json_response(cluster.replace(target, await request.json()))
        case "PATCH":
            patched = merge(cluster.get(target), await request.json())
            return web.json_response(cluster.replace(target, patched))
        case "DELETE":
            return web.json_response(cluster.delete(target))
    raise ApiStatusError(405, "the fake API server does not support this method")


def merge(old: Any, change: Any) -> Any:
    """Return a value with a JSON merge patch (RFC 7396)."""
    if not isinstance(old, dict) or not isinstance(change, dict):
        return change
    return {**old, **{name: merge(old.get(name, {}), part) for name, part in change.items()}}


def _matches_fields(thing: Object, fields: str) -> bool:
    """Return whether an object matches a field selector like ``a.b=c,d=e``."""
    for wanted in filter(None, fields.split(",")):
        path, _, value = wanted.partition("=")
        found: Any = thing
        for name in path.split("."):
            found = found.get(name, {})
        if found != value:
            return False
    return True


def _page(cluster: FakeCluster, target: ObjectPath, request: web.Request) -> Object:
    start = int(request.query.get("continue") or 0)
    found = list(cluster.select(target, request.query.get("labelSelector", "")))
    found = [
        each for each in found if _matches_fields(each, request.query.get("fieldSelector", ""))
    ]
    more = str(start + PAGE_SIZE) if len(found) > start + PAGE_SIZE else ""
    metadata = {"resourceVersion": str(len(cluster.changes)), "continue": more}
    kind = KINDS[target.prefix][target.plural]
    version = target.prefix.split("/", 2)[2]
    page = list(islice(found, start, start + PAGE_SIZE))
    items = [{k: v for k, v in item.items() if k not in {"apiVersion", "kind"}} for item in page]
    return {"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": items}


async def _watch(
    cluster: FakeCluster, target: ObjectPath, request: web.Request
) -> web.StreamResponse:
    """Stream the changes of a collection since a resourceVersion, one JSON document a line."""
    response = web.StreamResponse()
    await response.prepare(request)
    cluster.watched.append(target)
    seen = int(request.query.get("resourceVersion") or 0)
    while True:
        for change, path, thing in cluster.changes[seen:]:
            if target.contains(path):
                line = json.dumps({"type": change, "object": thing})
                await response.write(f"{line}\n".encode())
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
    return {
        "name": plural,
        "singularName": "",
        "namespaced": plural not in CLUSTER_SCOPED,
        "kind": kind,
        "verbs": verbs,
    }
