"""The clients service with statistics of its garbage collector, served by gunicorn."""

import gc
import json
from collections.abc import Callable
from typing import Any

from clients.app import create_app as create_clients_app


def create_app() -> Callable[..., Any]:
    """Return the service with the additional path ``/gc``."""
    service = create_clients_app()

    async def with_gc_stats(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/gc":
            await service(scope, receive, send)
            return
        stats = {
            "enabled": gc.isenabled(),
            "frozen": gc.get_freeze_count(),
            "tracked": len(gc.get_objects()),
        }
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(stats).encode()})

    return with_gc_stats
