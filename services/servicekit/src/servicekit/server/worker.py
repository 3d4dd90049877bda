"""gunicorn worker: uvicorn on uvloop, without the features that the services do not use."""

import asyncio
import logging
import sys
from typing import Any, ClassVar

import uvicorn_worker
from gunicorn.arbiter import Arbiter

from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.server.http_protocol import BoundedHttpProtocol

# part of the time between two heartbeats: 12 s of 15. A pool that is merely busy takes at most ten,
# 2 in the queue and 8 for a request; one that takes longer misses the time-out of the master.
MAX_WAIT = 0.8


class UvicornWorker(uvicorn_worker.UvicornWorker):  # type: ignore[misc] # it ships no types
    """Uvicorn worker that requires the lifespan protocol and sends no ``Server`` header."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": BoundedHttpProtocol,
        "ws": "none",
        "lifespan": "on",
        "server_header": False,
        "proxy_headers": False,
        "access_log": False,
        "log_config": None,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - gunicorn ships no types
        """Let the root logger write uvicorn's warnings, which are JSON then.

        uvicorn's logger gets the handlers of gunicorn's, which ``logs.configure`` removes.
        """
        super().__init__(*args, **kwargs)
        logger = logging.getLogger("uvicorn.error")
        logger.propagate = True
        logger.setLevel(max(logger.level, logging.WARNING))

    def load_wsgi(self) -> None:
        """Build the application; exit with gunicorn's boot error code on ``SystemExit``.

        For an unknown exit code gunicorn would restart workers endlessly. With this code the master
        exits, too. The application has printed the reason.
        """
        try:
            super().load_wsgi()
        except SystemExit:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def callback_notify(self) -> None:
        """Send a heartbeat as soon as a handler thread is free; uvicorn does not wait for it."""
        self._beat = asyncio.create_task(self._notify_from_thread())

    async def _notify_from_thread(self) -> None:
        bridge: WsgiBridge = self.wsgi
        if await bridge.has_free_thread(self.timeout * MAX_WAIT):
            self.notify()
        else:
            self.log.error("no handler thread is free; the worker is replaced: %s", _positions())


def _positions() -> str:
    """Return the innermost function and line of each thread."""
    frames = sys._current_frames().values()  # noqa: SLF001 - a public function, see its page
    return ", ".join(f"{frame.f_code.co_qualname}:{frame.f_lineno}" for frame in frames)
