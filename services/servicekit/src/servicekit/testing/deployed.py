"""A service as it is deployed: under gunicorn, with the configuration of the images."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from servicekit.testing.server import CONTRACTS, wait_until

GUNICORN = (
    str(Path(sys.executable).with_name("gunicorn")),
    *("-c", str(CONTRACTS.parent / "services" / "gunicorn.conf.py")),
)
LONG = 30.0  # seconds


@dataclass(frozen=True)
class Deployed:
    """A service that runs: its URL, and gunicorn's first process."""

    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def workers(self) -> list[int]:
        """The ids of the workers' processes."""
        pid = self.process.pid
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in found]

    def is_ready(self) -> bool:
        """Tell what a probe would see."""
        try:
            return httpx.get(f"{self.url}/-/ready").is_success
        except httpx.TransportError:
            return False


@contextmanager
def deployed(
    service: str, settings: Mapping[str, str], application: str | None = None
) -> Iterator[Deployed]:
    """Run a service until it is not needed any more; it must then end as it should.

    Args:
        service: its name.
        settings: its environment.
        application: another application than the service's own, as gunicorn is told it.

    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    command = [*GUNICORN, *([application] if application else [])]
    told = {**os.environ, **settings, "SERVICE": service, "BIND": bind}
    with subprocess.Popen(command, env=told) as process:
        running = Deployed(f"http://{bind}", process)
        try:
            wait_until(running.is_ready, "the service to be ready", LONG)
            yield running
            process.send_signal(signal.SIGTERM)
            assert process.wait(LONG) == 0
        finally:
            process.kill()
