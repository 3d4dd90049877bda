"""The operator as a process beside us, and what it tells of itself."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.operator.namespace import MissError
from tests.support.ports import free_port

PATIENCE = 600.0  # seconds for all monitors to be ready
QUIET = 10.0  # seconds without a reconcile after which the operator is at rest


@dataclass(frozen=True)
class Running:
    """An operator's process."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def is_alive(self) -> bool:
        """Whether the process is there, and says that it lives."""
        if self.process.poll() is not None:
            return False
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/-/live", timeout=5).is_success
        return False

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()

    def settle(self, quiet: float | None = None) -> float:
        """Wait until nothing has been reconciled for a while; return when that began, in seconds.

        Raises:
            MissError: it does not come to rest, or it has ended.

        """
        began = since = time.monotonic()
        seen, quiet = "", QUIET if quiet is None else quiet
        while time.monotonic() - began < PATIENCE:
            time.sleep(min(1.0, quiet / 2))
            if self.process.poll() is not None:
                told = self.log.read_text()[-500:]
                raise MissError(f"the operator has ended with {self.process.returncode}: {told}")
            try:
                now = str(self.samples("cadastro_synthetic_operator_reconciles_total"))
            except httpx.HTTPError:
                continue  # it starts
            if now != seen:
                seen, since = now, time.monotonic()
            elif seen != "{}" and time.monotonic() - since > quiet:
                return since - began
        raise MissError(f"the operator is not at rest after {PATIENCE:.0f} s")

    @property
    def megabytes(self) -> float:
        """Its memory."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    @property
    def writes(self) -> int:
        """How many requests could have changed something."""
        requests = self.samples("cadastro_synthetic_operator_api_requests_total")
        return int(sum(n for labels, n in requests.items() if 'method="GET"' not in labels))

    @property
    def ready_monitors(self) -> int:
        """How many monitors have the condition Ready."""
        conditions = self.samples("cadastro_synthetic_monitor_condition")
        return sum('status="True",type="Ready"' in labels for labels in conditions)

    def samples(self, name: str) -> dict[str, float]:
        """Return the samples of a metric by their labels."""
        text = httpx.get(f"{self.url}/metrics", timeout=60).text
        found = re.findall(rf"^{name}({{.*}}) (\S+)$", text, re.MULTILINE)
        return {labels: float(value) for labels, value in found}


@contextmanager
def operator(namespace: str, kubeconfig: Path | None = None) -> Iterator[Running]:
    """Run an operator beside us while the block runs."""
    port = free_port()
    environ = {
        **os.environ,
        **({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}),
        "PROBE_IMAGE": "bench.invalid/none",
        "WATCH_NAMESPACES": namespace,
        "PORT": str(port),
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "synthetic.cli", "operator"]
    with (
        tempfile.NamedTemporaryFile(prefix="operator-bench-", suffix=".log") as log,
        subprocess.Popen(command, env=environ, stdout=log, stderr=log) as process,
    ):
        try:
            yield Running(process, f"http://127.0.0.1:{port}", Path(log.name))
        finally:
            process.kill()
