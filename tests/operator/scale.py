"""What is measured with many monitors: starts, disturbances, an API server that is away."""

import json
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from synthetic.operator.api_client import MONITORS
from tests.operator.api_proxy import Gate, gate
from tests.operator.namespace import MissError, Space, is_gone, kubectl, monitor, until
from tests.operator.operator_process import PATIENCE, Running, operator
from tests.operator.tampering import P95, disturb, disturb_all, quantiles

SECONDS, MEGABYTES = 60.0, 200.0  # what a cold start may take
WRITES = {"cold start": 2, "restart": 0}  # that each monitor may cost
DISTURBANCES = 60
BACK_WITHIN = 30.0  # seconds after the return of the API server
PULSE = 1.0  # seconds between two questions whether the operator is alive
STEP = 30.0  # seconds between two lines of progress


@dataclass(frozen=True)
class Absence:
    """How the API server goes and returns: by commands, or else by a gate that is shut."""

    seconds: float
    stop: str = ""
    start: str = ""


def populate(space: Space, count: int) -> list[str]:
    """Make the monitors, and return their names."""
    items = [monitor(f"bench-{number}", resources=None) for number in range(count)]
    for item in items:
        item["metadata"]["namespace"] = space.name
    kubectl(
        "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )
    return [item["metadata"]["name"] for item in items]


def start(space: Space, name: str, count: int) -> str:
    """Start an operator, wait until it is at rest, and return what that has cost."""
    with operator(space.name) as running:
        seconds, ready = running.settle(), running.ready_monitors
        writes, allowed = running.writes, WRITES[name] * count
        told = (
            f"{ready} of {count} ready, at rest after {seconds:.0f} s (of {SECONDS:.0f}), "
            f"{running.megabytes:.0f} MB (of {MEGABYTES:.0f}), {writes} writes (of {allowed})"
        )
        is_small = seconds <= SECONDS and running.megabytes <= MEGABYTES
    return _judged(told, well=ready == count and is_small and writes <= allowed)


def put_back(space: Space, names: list[str]) -> str:
    """Disturb CronJobs, and return how soon they were put back."""
    with operator(space.name) as running:
        running.settle()
        half, most = quantiles(disturb_all(space, names, DISTURBANCES))
    told = (
        f"{DISTURBANCES} disturbances put back, p50 {half:.2f} s, p95 {most:.2f} s (of {P95:.0f})"
    )
    return _judged(told, well=most <= P95)


def away(space: Space, names: list[str], absence: Absence, say: Callable[[str], None]) -> str:
    """Take the API server away for a while; return how soon all is as before."""
    with _reached(space, absence) as (running, leave, come_back):
        running.settle()
        leave()
        try:
            beats, alive = _watch(running, absence.seconds, say)
        finally:
            come_back()
        returned = time.monotonic()
        until(lambda: _answers(space), BACK_WITHIN, "the API server does not answer")
        returned = time.monotonic()
        disturb(space, names[0], "deleted")
        back = time.monotonic() - returned
        running.settle()  # what is put back from now on, a watch has told of, and no resync
        again = disturb(space, names[-1], "edited")
        is_there = running.is_alive
    told = (
        f"{absence.seconds:.0f} s without an API server: alive {alive} of {beats} times, "
        f"{back:.1f} s after its return a CronJob is put back (of {BACK_WITHIN:.0f}), "
        f"later another one within {again:.2f} s (of {P95:.0f})"
    )
    return _judged(told, well=is_there and alive == beats and back <= BACK_WITHIN and again <= P95)


def deleted(space: Space) -> str:
    """Delete the namespace while no operator is there, and return how soon it is gone."""
    kubectl("delete", "namespace", space.name, "--wait=false")
    gone = until(lambda: is_gone(space.http, space.name), PATIENCE, "the namespace is not gone")
    return f"the namespace was gone after {gone:.0f} s, without an operator"


@contextmanager
def _reached(
    space: Space, absence: Absence
) -> Iterator[tuple[Running, Callable[[], None], Callable[[], None]]]:
    """Run an operator; yield it, and what takes its API server away and brings it back."""
    if absence.stop:
        with operator(space.name) as running:
            yield running, lambda: _command(absence.stop), lambda: _command(absence.start)
        return
    with gate() as (way, shut), tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        way.write_kubeconfig(kubeconfig)
        with operator(space.name, kubeconfig) as running:
            yield running, shut, lambda: _open(way)


def _watch(running: Running, seconds: float, say: Callable[[str], None]) -> tuple[int, int]:
    """Return how often the operator was asked whether it is alive, and how often it was."""
    began, told, beats, alive = time.monotonic(), STEP, 0, 0
    while (passed := time.monotonic() - began) < seconds:
        beats, alive = beats + 1, alive + running.is_alive
        if passed > told:
            say(f"away, {passed:.0f} s of {seconds:.0f}")
            told += STEP
        time.sleep(PULSE)
    return beats, alive


def _answers(space: Space) -> bool:
    with suppress(httpx.HTTPError):
        return space.http.get(MONITORS.path(space.name), params={"limit": 1}).is_success
    return False


def _open(way: Gate) -> None:
    way.is_shut = False


def _command(line: str) -> None:
    subprocess.run(shlex.split(line), check=True, stdout=subprocess.DEVNULL)


def _judged(told: str, *, well: bool) -> str:
    if not well:
        raise MissError(told)
    return told
