"""gunicorn configuration of the four services; environment variables override the defaults."""

import gc
import os
import resource
import sys
from pathlib import Path
from typing import Any

from servicekit.environment import Environment, SettingsError

_env = Environment()
bind = _env.text("BIND", "0.0.0.0:8000")  # or [::]:8000
workers = _env.integer("WORKERS", 1, 1, 256)
# seconds; the default is longer than the 60 of nginx and the 90 of Traefik
keepalive = _env.integer("KEEP_ALIVE", 100, 1, 3600)
loglevel = _env.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR").lower()
try:
    _env.raise_problems()
except SettingsError as error:
    sys.exit(f"cannot start: {error}")
worker_class = "servicekit.server.worker.UvicornWorker"
if "SERVICE" in os.environ:  # set in the images
    wsgi_app = f"{os.environ['SERVICE']}.app:create_app()"

# Several workers share the memory of an application that is built before the fork; a single worker
# would only have a second copy. Connections and threads start after the fork.
preload_app = workers > 1

graceful_timeout = 20  # seconds for requests after SIGTERM; the charts grant 40 in total
timeout = 30  # seconds without a heartbeat of the event loop until the worker is replaced
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn's advice: no heartbeat on a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108
control_socket_disable = True
accesslog = None  # servicekit writes its own
errorlog = "-"


def on_starting(_: Any) -> None:  # noqa: ANN401 - gunicorn ships no types
    """Raise the soft limit of open files to the hard one: each connection is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def post_fork(_server: Any, _worker: Any) -> None:  # noqa: ANN401 - gunicorn ships no types
    """Collect no garbage until ``post_worker_init``."""
    gc.disable()


def when_ready(_: Any) -> None:  # noqa: ANN401 - as above
    """Freeze shared objects: garbage collection in a worker would copy their pages."""
    _freeze()


def on_reload(_: Any) -> None:  # noqa: ANN401 - as above
    """Enable garbage collection again: the reload has executed this file."""
    _freeze()


def post_worker_init(_: Any) -> None:  # noqa: ANN401 - gunicorn ships no types
    """Freeze the objects that the start created."""
    _freeze()


def _freeze() -> None:
    gc.freeze()  # without a collection, which would take 0.1 s and free some kilobytes
    gc.enable()


gc.disable()  # objects of the start stay alive; collections would take a tenth of its time
