"""gunicorn's worker: uvicorn on uvloop, with nothing that the services do not use."""

import sys
from typing import Any, ClassVar

from gunicorn.arbiter import Arbiter
from uvicorn_worker import UvicornWorker


class Worker(UvicornWorker):  # type: ignore[misc] # it ships no types
    """A worker that insists on a clean start, and tells nobody what it is."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": "httptools",
        "ws": "none",
        "lifespan": "on",
        "server_header": False,
        "proxy_headers": False,
        "access_log": False,
        "log_config": None,
    }

    def load_wsgi(self) -> None:
        """Build the application; one that ends the process also ends the master.

        gunicorn would start workers for ever when they end with an exit code that it does not
        know; what is wrong has been said by then.
        """
        try:
            super().load_wsgi()
        except SystemExit:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
