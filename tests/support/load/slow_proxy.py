"""HTTP proxy that delays one operation of a system."""

import asyncio
import sys

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

DELAY_SECONDS = 0.2
HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "content-encoding", "host"}
METHODS = ["GET", "POST", "PUT", "DELETE"]


def application(upstream: str, method: str, prefix: str) -> Starlette:
    """Return a proxy for ``upstream`` that delays requests with this method and path prefix."""
    client = httpx.AsyncClient(base_url=upstream, timeout=20)

    async def forward(request: Request) -> Response:
        if request.method == method and request.url.path.startswith(prefix):
            await asyncio.sleep(DELAY_SECONDS)
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        headers = {k: v for k, v in request.headers.items() if k not in HOP_BY_HOP}
        body = await request.body()
        response = await client.request(request.method, target, headers=headers, content=body)
        kept = {k: v for k, v in response.headers.items() if k not in HOP_BY_HOP}
        return Response(response.content, response.status_code, kept)

    return Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)])


if __name__ == "__main__":
    url, slow_method, slow_path, port = sys.argv[1:]
    uvicorn.run(application(url, slow_method, slow_path), port=int(port), log_level="warning")
