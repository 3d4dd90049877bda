"""Server processes of a testbed, each pinned to some cores."""

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import psutil

from benchmarks.progress import BenchmarkError
from devstack.stack import free_ports
from devstack.supervisor import ChildProcess, Supervisor

START_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 120.0
SHUTDOWN_SECONDS = 8.0
POLL_INTERVAL_SECONDS = 0.05


class Servers:
    """Processes by name, with their ports and cores."""

    def __init__(self, folder: Path, default_cores: Sequence[int]) -> None:
        """Write logs to ``folder``; the default cores are for servers without others."""
        self.ports: dict[str, int] = {}
        self.cores: dict[str, Sequence[int]] = {}
        self._folder = folder
        self._default_cores = default_cores
        self._children: dict[str, ChildProcess] = {}
        self._supervisor = Supervisor()

    def reserve(self, *names: str) -> None:
        """Choose free ports for servers that have none yet."""
        new = [name for name in names if name not in self.ports]
        self.ports.update(zip(new, free_ports(len(new)), strict=True))

    def url(self, name: str) -> str:
        """Return the base URL of a server."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def process(self, name: str) -> psutil.Process:
        """Return the first process of a running server."""
        process = self._children[name].process
        assert process is not None  # noqa: S101 - it was started
        return psutil.Process(process.pid)

    def launch(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        cores: Sequence[int] = (),
    ) -> None:
        """Start a process, without waiting until it is ready."""
        self.cores[name] = cores or self._default_cores
        pinned = ["taskset", "-c", ",".join(map(str, self.cores[name])), *command]
        child = ChildProcess(name, pinned, self._folder / f"{name}.log", environ)
        self._children[name] = self._supervisor.start(child)

    def wait_until_ready(self, name: str, path: str, headers: Mapping[str, str]) -> None:
        """Wait until a GET request succeeds.

        Raises:
            BenchmarkError: the server ended, or is not ready in time.

        """
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        child = self._children[name]
        while not _succeeds(self.url(name) + path, headers):
            if child.has_exited() or time.monotonic() > deadline:
                raise BenchmarkError(f"{name} is not ready:{child.log_tail()}")
            time.sleep(POLL_INTERVAL_SECONDS)

    def stop(self, name: str) -> None:
        """Stop one server."""
        child = self._children.pop(name)
        child.signal(signal.SIGTERM)
        assert child.process is not None  # noqa: S101 - it was started
        child.process.wait(STOP_TIMEOUT_SECONDS)

    def stop_all(self) -> None:
        """Stop all servers."""
        self._supervisor.stop(SHUTDOWN_SECONDS)


def _succeeds(url: str, headers: Mapping[str, str]) -> bool:
    try:
        return httpx.get(url, headers=headers).is_success
    except httpx.TransportError:
        return False
