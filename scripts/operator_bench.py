"""Measures the operator with many monitors on the cluster of KUBECONFIG: starts, writes, memory.

The monitors are suspended: what is measured is the operator, not the probes. The namespace is the
bench's own, and is removed at the end; so is the definition, when none was there.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

PATIENCE = 600.0  # seconds for all monitors to be ready
QUIET = 10.0  # seconds without a reconcile after which the operator is at rest
SECONDS, MEGABYTES = 60.0, 200.0  # what a cold start may take
WRITES = {"cold start": 2, "restart": 0}  # that each monitor may cost
DEFINITION = Path(__file__).resolve().parents[1] / "charts" / "synthetic" / "files" / "crd.yaml"
NAME = "syntheticmonitors.monitoring.cadastro.dev"


@dataclass(frozen=True)
class Start:
    """What a start of the operator has cost."""

    name: str
    monitors: int
    ready: int
    seconds: float
    megabytes: float
    writes: int

    @property
    def is_within(self) -> bool:
        """Whether it kept to the limits."""
        return (
            self.ready == self.monitors
            and self.seconds <= SECONDS
            and self.megabytes <= MEGABYTES
            and self.writes <= WRITES[self.name] * self.monitors
        )

    def __str__(self) -> str:
        """Return a row for a person, with the limits."""
        return (
            f"{'ok' if self.is_within else 'MISS':6}{self.name:12}"
            f"{self.ready} of {self.monitors} ready, "
            f"at rest after {self.seconds:.0f} s (of {SECONDS:.0f}), "
            f"{self.megabytes:.0f} MB (of {MEGABYTES:.0f}), "
            f"{self.writes} writes (of {WRITES[self.name] * self.monitors})"
        )


def main() -> int:
    """Print a row for the cold start and one for a restart with nothing changed."""
    parser = argparse.ArgumentParser(
        prog="make operator-bench",
        description=__doc__,
        epilog="Exit codes: 0 both starts kept to the limits, 1 one did not.",
    )
    parser.add_argument("--monitors", type=int, default=1000, help="how many (1000)")
    count = parser.parse_args().monitors
    namespace = f"cadastro-bench-{uuid.uuid4().hex[:6]}"
    starts = []
    with definition():
        kubectl("create", "namespace", namespace)
        try:
            say(f"creating {count} monitors")
            kubectl("create", "-f", "-", stdin=json.dumps(monitors(namespace, count)))
            for name in WRITES:
                say(name)
                starts.append(measure(name, namespace, count))
                print(starts[-1], flush=True)
        finally:
            kubectl("delete", "namespace", namespace)
    return 0 if all(start.is_within for start in starts) else 1


def measure(name: str, namespace: str, count: int) -> Start:
    """Start an operator, wait until it is at rest, and return what that has cost."""
    with operator(namespace) as (process, url):
        seconds = settle(url, time.monotonic())
        memory = psutil.Process(process.pid).memory_info().rss / 1e6
        return Start(name, count, ready_monitors(url), seconds, memory, writes(url))


@contextmanager
def definition() -> Iterator[None]:
    """Have the definition while the block runs; one that is there already stays as it is."""
    found = subprocess.run(
        ["kubectl", "get", "crd", NAME],  # noqa: S607 - the one of the PATH
        capture_output=True,
        check=False,
    )
    ours = found.returncode != 0
    if ours:
        kubectl("create", "-f", str(DEFINITION))
        kubectl("wait", "--for=condition=Established", f"crd/{NAME}")
    try:
        yield
    finally:
        if ours:
            kubectl("delete", "crd", NAME)


def monitors(namespace: str, count: int) -> dict[str, object]:
    """Return a list of suspended monitors."""
    items = [
        {
            "apiVersion": "monitoring.cadastro.dev/v1alpha1",
            "kind": "SyntheticMonitor",
            "metadata": {"name": f"bench-{number}", "namespace": namespace},
            "spec": {
                "journey": "clients-health",
                "interval": "5m",
                "suspend": True,
                "target": {"url": "http://bench.invalid"},
            },
        }
        for number in range(count)
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


@contextmanager
def operator(namespace: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run an operator beside us while the block runs."""
    port = free_port()
    environ = {
        **os.environ,
        "PROBE_IMAGE": "bench.invalid/none",
        "WATCH_NAMESPACES": namespace,
        "PORT": str(port),
        "LOG_LEVEL": "ERROR",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "synthetic.cli", "operator"], env=environ
    ) as process:
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def settle(url: str, began: float) -> float:
    """Wait until nothing has been reconciled for a while; return when that began, in seconds."""
    seen, since = "", began
    while time.monotonic() - began < PATIENCE:
        time.sleep(1)
        try:
            now = str(samples(url, "synthetic_operator_reconciles_total"))
        except httpx.HTTPError:
            continue  # it starts
        if now != seen:
            seen, since = now, time.monotonic()
        elif seen != "{}" and time.monotonic() - since > QUIET:
            return since - began
    sys.exit(f"operator-bench: the operator is not at rest after {PATIENCE:.0f} s")


def writes(url: str) -> int:
    """Return how many requests could have changed something."""
    requests = samples(url, "synthetic_operator_api_requests_total")
    return int(sum(n for labels, n in requests.items() if 'method="GET"' not in labels))


def ready_monitors(url: str) -> int:
    """Return how many monitors have the condition Ready."""
    conditions = samples(url, "synthetic_monitor_condition")
    return sum('status="True",type="Ready"' in labels for labels in conditions)


def samples(url: str, name: str) -> dict[str, float]:
    """Return the samples of a metric by their labels."""
    text = httpx.get(f"{url}/metrics", timeout=60).text
    found = re.findall(rf"^{name}({{.*}}) (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kubectl(*arguments: str, stdin: str | None = None) -> None:
    """Run kubectl; what it complains of is shown."""
    subprocess.run(
        ["kubectl", *arguments],  # noqa: S607 - the one of the PATH
        input=stdin,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def say(what: str) -> None:
    """Tell where we are."""
    sys.stderr.write(f"operator-bench: {what} ...\n")


if __name__ == "__main__":
    sys.exit(main())
