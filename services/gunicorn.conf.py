"""How gunicorn runs each of the four services; every figure can be set by the environment."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

from servicekit.server import cpu_affinity

bind = os.environ.get("BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WORKERS", "1"))
pin_workers = os.environ.get("PIN_WORKERS", "auto")  # what our hooks go by; gunicorn has no such
if pin_workers not in cpu_affinity.POLICIES:
    sys.exit(f"PIN_WORKERS is one of {', '.join(cpu_affinity.POLICIES)}, and not {pin_workers!r}")
worker_class = "servicekit.server.worker.Worker"
if "SERVICE" in os.environ:  # an image knows which service it is
    wsgi_app = f"{os.environ['SERVICE']}.app:create_app()"

# Several workers share the memory of an application that is built before they are forked; for a
# single one that would only be a second copy. Nothing connects, and no thread starts, before a
# worker lives.
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


def pre_fork(arbiter: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn ships no types
    """Choose a worker's core here, where it is known which ones the others have."""
    taken = [other.core for other in arbiter.WORKERS.values()]
    cores = cpu_affinity.usable_cores()
    worker.core = cpu_affinity.core_for_one_more(
        pin_workers, arbiter.num_workers, taken, cores, os.cpu_count() or 1
    )


def post_fork(_: Any, worker: Any) -> None:  # noqa: ANN401 - as above
    """Pin the worker before it starts a thread."""
    gc.disable()  # until it has started
    if worker.core is None:
        return
    try:
        cpu_affinity.pin(worker.core)
    except OSError as error:
        worker.log.warning("not pinned to core %s: %s", worker.core, error.strerror)


def when_ready(_: Any) -> None:  # noqa: ANN401 - as above
    """Keep what workers share out of their garbage collections, which would copy it by looking."""
    _keep()


def on_reload(_: Any) -> None:  # noqa: ANN401 - as above
    """Collect garbage again: this file has been read anew."""
    _keep()


def post_worker_init(_: Any) -> None:  # noqa: ANN401 - gunicorn ships no types
    """Keep what the start has made out of every later garbage collection."""
    _keep()


def _keep() -> None:
    gc.freeze()  # a start leaves some kilobytes of garbage; to collect them would take 0.1 s
    gc.enable()


gc.disable()  # what a start makes stays: to look for garbage in it takes a tenth of the start
