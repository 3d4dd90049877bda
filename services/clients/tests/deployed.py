"""The clients service as it is deployed: under gunicorn, with the configuration of the images."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from localstack.catalogue import ROOT
from localstack.stack import free_ports
from servicekit.testing import wait_until

GUNICORN = (
    str(Path(sys.executable).with_name("gunicorn")),
    *("-c", str(ROOT / "services" / "gunicorn.conf.py")),
)
PATIENCE = 30.0  # seconds


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
    settings: Mapping[str, str], application: str = "clients.app:create_app()"
) -> Iterator[Deployed]:
    """Run the service until it is not needed any more; it must then end as it should."""
    (port,) = free_ports(1)
    told = {**os.environ, **settings, "BIND": f"127.0.0.1:{port}"}
    with subprocess.Popen([*GUNICORN, application], env=told) as process:
        service = Deployed(f"http://127.0.0.1:{port}", process)
        try:
            wait_until(service.is_ready, "the service to be ready", PATIENCE)
            yield service
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
