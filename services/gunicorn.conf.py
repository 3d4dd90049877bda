"""How gunicorn runs each of the four services; every figure can be set by the environment."""

import gc
import os
from pathlib import Path
from typing import Any

bind = os.environ.get("BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WORKERS", "1"))
worker_class = "servicekit.worker.Worker"
if "SERVICE" in os.environ:  # an image knows which service it is
    wsgi_app = f"{os.environ['SERVICE']}.app:create_app()"

# Several workers share the memory of an application that is built before they are forked; for a
# single one that would only be a second copy. Nothing connects before a worker lives.
preload_app = workers > 1

graceful_timeout = 20  # seconds to finish what runs after SIGTERM; the charts grant 40 in all
timeout = 30  # seconds without a heartbeat of the event loop, until a worker is replaced
keepalive = 100  # seconds; an ingress uses a connection again for 60 (nginx) or 90 (Traefik)
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn's advice: a heartbeat should touch no disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108
control_socket_disable = True
accesslog = None  # servicekit writes one line a request
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL", "INFO").lower()


def post_worker_init(_: Any) -> None:  # noqa: ANN401 - gunicorn ships no types
    """Keep what the start has made out of every later garbage collection."""
    gc.collect()
    gc.freeze()
