"""A service under gunicorn, with the configuration of the images."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from servicekit.testing.server import CONTRACTS, wait_until

GUNICORN = (
    str(Path(sys.executable).with_name("gunicorn")),
    *("-c", str(CONTRACTS.parent / "services" / "gunicorn.conf.py")),
)
START_TIMEOUT = STOP_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class GunicornServer:
    """A running service: its URL and gunicorn's master process."""

    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children]

    def is_ready(self) -> bool:
        """Return whether the readiness probe succeeds."""
        try:
            return httpx.get(f"{self.url}/-/ready").is_success
        except httpx.TransportError:
            return False


@contextmanager
def gunicorn_server(
    service: str,
    settings: Mapping[str, str],
    application: str | None = None,
    *,
    address: str = "127.0.0.1",
    log: Path | None = None,
) -> Iterator[GunicornServer]:
    """Run a service in a context, and check that it exits cleanly.

    Args:
        service: name of the service.
        settings: environment variables.
        application: replaces the application of the service, in gunicorn's notation.
        address: IPv4 or IPv6 address to listen on.
        log: file to which the service appends its log.

    """
    is_ipv6 = ":" in address
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    with socket.create_server((address, 0), family=family) as free:
        bind = f"{f'[{address}]' if is_ipv6 else address}:{free.getsockname()[1]}"
    command = [*GUNICORN, *([application] if application else [])]
    env = {**os.environ, **settings, "SERVICE": service, "BIND": bind}
    with (
        nullcontext() if log is None else log.open("ab") as output,
        subprocess.Popen(command, env=env, stdout=output) as process,
    ):
        running = GunicornServer(f"http://{bind}", process)
        try:
            wait_until(running.is_ready, "the service to be ready", START_TIMEOUT)
            yield running
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_TIMEOUT) == 0
        finally:
            process.kill()
