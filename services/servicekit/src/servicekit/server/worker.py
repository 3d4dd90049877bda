"""gunicorn worker: uvicorn on uvloop, without the features that the services do not use."""

import logging
import sys
from typing import Any, ClassVar

import uvicorn_worker
from gunicorn.arbiter import Arbiter

from servicekit.server.http_protocol import BoundedHttpProtocol


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
