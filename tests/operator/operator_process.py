"""The operator as a local process, and its metrics."""

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

from tests.support.ports import free_port
from tests.support.steps import StepFailed

IDLE_TIMEOUT_SECONDS = 600.0  # until all monitors are ready
IDLE_SECONDS = 10.0  # without a reconciliation, after which the operator is idle
HTTP_TIMEOUT_SECONDS = 60.0
SCRAPE_PAUSE = 4  # times the duration of the scrape before, which takes the operator's time
RECONCILES = "cadastro_synthetic_operator_reconciles_total"
API_REQUESTS = "cadastro_synthetic_operator_api_requests_total"
CONDITIONS = "cadastro_synthetic_monitor_condition"


@dataclass(frozen=True)
class OperatorProcess:
    """A process of the operator."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def is_alive(self) -> bool:
        """True if the process runs and its liveness check succeeds."""
        if self.process.poll() is not None:
            return False
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/-/live", timeout=5).is_success
        return False

    @property
    def is_ready(self) -> bool:
        """True if its readiness check succeeds."""
        return httpx.get(f"{self.url}/-/ready", timeout=5).is_success

    @property
    def page_status(self) -> int:
        """The HTTP status of its page."""
        return httpx.get(self.url, timeout=HTTP_TIMEOUT_SECONDS).status_code

    def kill(self) -> None:
        """Kill the process."""
        self.process.kill()

    def wait_idle(self, quiet: float | None = None) -> float:
        """Wait until the operator is idle, and return the seconds until its last reconciliation.

        Raises:
            StepFailed: it does not become idle, or it has exited.

        """
        started = changed = time.monotonic()
        before, took, quiet = "", 0.0, IDLE_SECONDS if quiet is None else quiet
        while time.monotonic() - started < IDLE_TIMEOUT_SECONDS:
            time.sleep(max(min(1.0, quiet / 2), SCRAPE_PAUSE * took))
            if self.process.poll() is not None:
                log = self.log.read_text()[-500:]
                raise StepFailed(f"the operator has exited with {self.process.returncode}: {log}")
            asked = time.monotonic()
            try:
                now = str(self.samples(RECONCILES))
            except httpx.HTTPError:
                continue  # it is starting
            took = time.monotonic() - asked
            if now != before:
                before, changed = now, time.monotonic()
            elif before != "{}" and time.monotonic() - changed > quiet:
                return changed - started
        raise StepFailed(f"the operator is not idle after {IDLE_TIMEOUT_SECONDS:.0f} s")

    @property
    def megabytes(self) -> float:
        """Its resident memory in MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    @property
    def writes(self) -> int:
        """The number of API requests that can change an object."""
        requests = self.samples(API_REQUESTS)
        return int(sum(n for labels, n in requests.items() if 'method="GET"' not in labels))

    @property
    def ready_monitors(self) -> int:
        """The number of monitors with the condition Ready."""
        conditions = self.samples(CONDITIONS)
        return sum('status="True",type="Ready"' in labels for labels in conditions)

    def samples(self, name: str) -> dict[str, float]:
        """Return the samples of a metric by their labels."""
        text = httpx.get(f"{self.url}/metrics", timeout=HTTP_TIMEOUT_SECONDS).text
        found = re.findall(rf"^{name}({{.*}}) (\S+)$", text, re.MULTILINE)
        return {labels: float(value) for labels, value in found}


@contextmanager
def operator(namespace: str, kubeconfig: Path | None = None) -> Iterator[OperatorProcess]:
    """Run an operator process during the block."""
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
            yield OperatorProcess(process, f"http://127.0.0.1:{port}", Path(log.name))
        finally:
            process.kill()
