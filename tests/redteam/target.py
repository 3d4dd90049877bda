"""A local system under attack, with the ports and the CPU time of its services."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.redteam.first_start import LocalSystem


class Target:
    """A ready system."""

    def __init__(self, system: LocalSystem, data: Path) -> None:
        """Find the services of a system with this data folder."""
        self.url = system.url
        self.ports = _ports(data)  # of the services, without the ingress
        self._root = psutil.Process(system.process.pid)
        self._workers = {name: self._worker(name) for name in self.ports}

    def cpu_seconds(self) -> float:
        """Return the CPU time of all processes of the system, PostgreSQL's included."""
        total = 0.0
        for process in (self._root, *self._root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def worker_cpu_seconds(self, service: str) -> float:
        """Return the CPU time of the worker of a service.

        The kernel's clock of a process has nanoseconds, the times in /proc hundredths of a second.
        """
        clock = (~self._workers[service] << 3) | 2  # CPUCLOCK_SCHED, see clock_getcpuclockid(3)
        return time.clock_gettime(clock)

    def _worker(self, service: str) -> int:
        for process in self._root.children(recursive=True):
            command = " ".join(process.cmdline())
            if "gunicorn" in command and f"{service}.app" in command and process.children():
                return process.children()[0].pid
        raise LookupError(service)


@contextmanager
def running_target() -> Iterator[Target]:
    """Run a new system until the block ends.

    Raises:
        StepFailed: it does not start.

    """
    folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
    system = LocalSystem(folder / "data", folder / "output.txt")
    try:
        system.wait_until_ready()
        yield Target(system, folder / "data")
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _ports(data: Path) -> Mapping[str, int]:
    services = json.loads((data / "traefik" / "routes.yaml").read_text())["http"]["services"]
    names = [name for name, each in services.items() if "failover" in each]
    checked = {name: services[services[name]["failover"]["service"]] for name in names}
    urls = {name: each["loadBalancer"]["servers"][0]["url"] for name, each in checked.items()}
    return {name: int(url.rpartition(":")[2]) for name, url in urls.items()}
