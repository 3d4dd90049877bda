"""The clients service, which also tells of its garbage collector; gunicorn serves it."""

import gc
import json
from collections.abc import Callable
from typing import Any

from clients.app import create_app as create_clients


def create_app() -> Callable[..., Any]:
    """Answer ``/garbage``, and leave all else to the service."""
    service = create_clients()

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/garbage":
            await service(scope, receive, send)
            return
        told = {
            "enabled": gc.isenabled(),
            "frozen": gc.get_freeze_count(),
            "tracked": len(gc.get_objects()),
        }
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})

    return answering
