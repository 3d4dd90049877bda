"""Tests with many monitors: starts, repairs, an API server outage, a deleted namespace."""

import json
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from synthetic.operator.resources import MONITORS
from tests.operator.api_proxy import ApiProxy, api_proxy
from tests.operator.factories import monitor, month_of_runs
from tests.operator.namespace import Namespace, is_deleted, wait_until
from tests.operator.operator_process import IDLE_TIMEOUT_SECONDS, OperatorProcess, operator
from tests.operator.tampering import P95_LIMIT_SECONDS, quantiles, tamper, tamper_all
from tests.support.commands import run_command
from tests.support.steps import check

START_LIMIT_SECONDS, MEMORY_LIMIT_MB = 60.0, 200.0  # of a start with up to a thousand monitors
MORE_SECONDS, MORE_MB = 60.0, 120.0  # for each thousand more
WRITES = {"cold start": 2, "restart": 0}  # at most, for each monitor
LEASE_WRITES = 1  # during a start: the operator takes its Lease
CHANGES = 60
RECOVERY_LIMIT_SECONDS = 30.0  # after the outage of the API server
LIVENESS_SECONDS = 1.0  # between two liveness checks
PROGRESS_SECONDS = 30.0  # between two lines of progress


@dataclass(frozen=True)
class Outage:
    """An outage of the API server: by two commands, or by a proxy in front of it."""

    seconds: float
    stop: str = ""
    start: str = ""


def populate(namespace: Namespace, count: int) -> list[str]:
    """Create monitors with a month of runs each, and return their names."""
    items = [monitor(f"bench-{number}", resources=None) for number in range(count)]
    for item in items:
        item["metadata"]["namespace"] = namespace.name
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    run_command("kubectl", "create", "-f", "-", stdin=document)
    status = month_of_runs(datetime.now(UTC))
    for item in namespace.list_all(MONITORS):
        namespace.replace(MONITORS, {**item, "status": status}, "status")
    return [item["metadata"]["name"] for item in items]


def measure_start(namespace: Namespace, name: str, count: int) -> str:
    """Start an operator, wait until it is idle, and return its time, memory and writes."""
    with operator(namespace.name) as process:
        seconds, ready = process.wait_idle(), process.ready_monitors
        writes, allowed = process.writes, WRITES[name] * count + LEASE_WRITES
        megabytes = process.megabytes
    more = max(count - 1000, 0) / 1000
    time_limit = START_LIMIT_SECONDS + MORE_SECONDS * more
    memory_limit = MEMORY_LIMIT_MB + MORE_MB * more
    summary = (
        f"{ready} of {count} ready, idle after {seconds:.0f} s (of {time_limit:.0f}), "
        f"{megabytes:.0f} MB (of {memory_limit:.0f}), {writes} writes (of {allowed})"
    )
    is_small = seconds <= time_limit and megabytes <= memory_limit
    check(ready == count and is_small and writes <= allowed, summary)
    return summary


def measure_repair(namespace: Namespace, names: list[str]) -> str:
    """Tamper with CronJobs, and return the time of the repairs."""
    with operator(namespace.name) as process:
        process.wait_idle()
        median, p95 = quantiles(tamper_all(namespace, names, CHANGES))
    limit = f"(of {P95_LIMIT_SECONDS:.0f})"
    summary = f"{CHANGES} changes repaired, p50 {median:.2f} s, p95 {p95:.2f} s {limit}"
    check(p95 <= P95_LIMIT_SECONDS, summary)
    return summary


def survives_outage(
    namespace: Namespace, names: list[str], outage: Outage, report: Callable[[str], None]
) -> str:
    """Stop the API server for a while, and return the time of the recovery."""
    with _operator_with_outage(namespace, outage) as (process, stop, start):
        process.wait_idle()
        stop()
        try:
            checks, alive = _check_liveness(process, outage.seconds, report)
        finally:
            start()
        message = "the API server does not respond"
        wait_until(lambda: _responds(namespace), RECOVERY_LIMIT_SECONDS, message)
        returned = time.monotonic()
        tamper(namespace, names[0], "deleted")
        first = time.monotonic() - returned
        process.wait_idle()  # later repairs prove that the watches work, not the resync
        second = tamper(namespace, names[-1], "edited")
        is_alive = process.is_alive
    summary = (
        f"{outage.seconds:.0f} s without an API server: alive {alive} of {checks} times, "
        f"{first:.1f} s after its return a CronJob is repaired (of {RECOVERY_LIMIT_SECONDS:.0f}), "
        f"later another one within {second:.2f} s (of {P95_LIMIT_SECONDS:.0f})"
    )
    is_fast = first <= RECOVERY_LIMIT_SECONDS and second <= P95_LIMIT_SECONDS
    check(is_alive and alive == checks and is_fast, summary)
    return summary


def delete_namespace(namespace: Namespace) -> str:
    """Delete the namespace without an operator, and return the time of the deletion."""
    run_command("kubectl", "delete", "namespace", namespace.name, "--wait=false")
    seconds = wait_until(
        lambda: is_deleted(namespace.http, namespace.name),
        IDLE_TIMEOUT_SECONDS,
        "the namespace is not deleted",
    )
    return f"the namespace was deleted after {seconds:.0f} s, without an operator"


@contextmanager
def _operator_with_outage(
    namespace: Namespace, outage: Outage
) -> Iterator[tuple[OperatorProcess, Callable[[], None], Callable[[], None]]]:
    """Run an operator; yield it, and functions that stop and start its API server."""
    if outage.stop:
        with operator(namespace.name) as process:
            yield process, lambda: _run(outage.stop), lambda: _run(outage.start)
        return
    with api_proxy() as (proxy, stop), tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        proxy.write_kubeconfig(kubeconfig)
        with operator(namespace.name, kubeconfig) as process:
            yield process, stop, lambda: _restart(proxy)


def _check_liveness(
    process: OperatorProcess, seconds: float, report: Callable[[str], None]
) -> tuple[int, int]:
    """Return the number of liveness checks, and of those that succeeded."""
    started, next_report, checks, alive = time.monotonic(), PROGRESS_SECONDS, 0, 0
    while (passed := time.monotonic() - started) < seconds:
        checks, alive = checks + 1, alive + process.is_alive
        if passed > next_report:
            report(f"outage, {passed:.0f} s of {seconds:.0f}")
            next_report += PROGRESS_SECONDS
        time.sleep(LIVENESS_SECONDS)
    return checks, alive


def _responds(namespace: Namespace) -> bool:
    with suppress(httpx.HTTPError):
        path = MONITORS.path(namespace.name)
        return namespace.http.get(path, params={"limit": 1}).is_success
    return False


def _restart(proxy: ApiProxy) -> None:
    proxy.is_stopped = False


def _run(line: str) -> None:
    subprocess.run(shlex.split(line), check=True, stdout=subprocess.DEVNULL)
