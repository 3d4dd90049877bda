"""What is shown with few monitors: refusals, kills, runs that nobody saw, and bad input."""

import random
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from synthetic.operator.api_client import CRON_JOBS, GROUP, JOBS, MONITORS, Object
from synthetic.operator.cronjob import UID_LABEL
from synthetic.operator.reconcile import RUN_REQUESTED_ANNOTATION
from tests.operator.api_proxy import Gate, Kill, gate
from tests.operator.message_fuzzer import random_message
from tests.operator.namespace import (
    MissError,
    Space,
    ready,
    runs,
    until,
)
from tests.operator.operator_process import Running, operator
from tests.operator.tampering import disturb_all

FEW = 20  # monitors
MOST_WRITES = 25  # for one monitor; it has about ten
EVERY = 7  # of so many requests one is refused; a reconcile has about five
READY_WITHIN = 60.0  # seconds
CONVERGES_WITHIN = 60.0  # seconds
QUIET = 2.0  # seconds
PASSED, FAILED = 3, 2  # runs of a monitor whose operator is killed
AWAY = 25  # runs of each kind that end while no operator is there
CAUSE = f"{GROUP}/cause"
KEPT = {"success": 1, "failed": 1}


def refusals(space: Space) -> str:
    """Refuse one of seven requests; return how soon all monitors are ready all the same."""
    names = [f"refused-{number}" for number in range(FEW)]
    with gate() as (way, _), tempfile.TemporaryDirectory() as folder:
        way.every = EVERY
        with _through(space, way, Path(folder)) as running:
            for name in names:
                space.add_monitor(name)
            seconds = until(lambda: _ready(space, names), READY_WITHIN, "not all are ready")
            disturb_all(space, names, FEW)
            _check(running.process.poll() is None, "the operator has ended")
        told = f"{way.refused} of {way.requests} requests refused with 429 or 500"
    return f"{told}: {FEW} monitors ready after {seconds:.0f} s, {FEW} disturbances put back"


def kills(space: Space, say: Callable[[str], None]) -> str:
    """Kill the operator at each of its writes; return how many there are, and what came of it."""
    counts = []
    for is_new in (True, False):
        for is_heard in (True, False):
            number = 1
            while kill(space, number, is_new=is_new, is_heard=is_heard):
                say(f"killed at write {number} of {_words(is_new=is_new, is_heard=is_heard)}")
                number += 1
                _check(number <= MOST_WRITES, f"after {MOST_WRITES} writes it is not at rest")
            counts.append(number - 1)
    _check(all(counts), f"the operator was not killed: {counts}")
    return f"{sum(counts)} kills at writes, heard or not: one CronJob each, and every total exact"


def kill(space: Space, number: int, *, is_new: bool, is_heard: bool) -> bool:
    """Kill an operator at its write ``number``; return False when it does not come to that."""
    name = f"kill-{'new' if is_new else 'old'}-{'heard' if is_heard else 'unheard'}-{number}"
    owner = space.add_monitor(name, history=KEPT, concurrencyPolicy="Allow")
    if not is_new:
        with operator(space.name):
            until(lambda: _ready(space, [name]), READY_WITHIN, f"{name} is not ready")
        _edit(space, owner)
    _give_work(space, owner)
    with gate() as (way, _), tempfile.TemporaryDirectory() as folder:
        way.is_shut = True  # until the victim is known
        with _through(space, way, Path(folder)) as victim:
            way.kill = Kill(number, is_heard, victim.kill)
            way.is_shut = False
            killed = _dies(victim)
    with operator(space.name) as running:
        until(lambda: _converged(space, name), CONVERGES_WITHIN, f"{name}: {_told(space, name)}")
        running.settle(QUIET)
    _check(_converged(space, name), f"{name}: {_told(space, name)}")
    space.delete(MONITORS, name)  # or the next victim would write what becomes of its pods
    return killed


def unseen(space: Space) -> str:
    """Let runs end while no operator is there; return how many of them were counted later."""
    chance = random.Random(7)  # noqa: S311 - the same messages each time
    with operator(space.name) as running:
        owner = space.add_monitor("unseen", history={"success": 50, "failed": 50})
        until(lambda: _ready(space, ["unseen"]), READY_WITHIN, "it is not ready")
        running.kill()
    for _ in range(AWAY):
        space.end_run(owner, passed=True, said=random_message(chance))
        space.end_run(owner, passed=False, said=random_message(chance))
    for _ in range(2):  # a second operator counts none of them again
        with operator(space.name) as running:
            running.settle(QUIET)
            found = runs(space.monitor("unseen"))
    judged = found["failed"] + found["error"]
    well = (found["passed"], judged, found["disrupted"]) == (AWAY, AWAY, 0)
    told = f"{found['passed']} of {AWAY} that passed and {judged} of {AWAY} that did not"
    _check(well, f"{told} are counted: {found}")
    return f"{told} are counted, whatever their probes said"


def _dies(victim: Running) -> bool:
    """Tell whether an operator has ended before it was at rest."""
    with suppress(MissError):
        victim.settle(QUIET)
    return victim.process.poll() is not None


def _edit(space: Space, owner: Object) -> None:
    (live,) = space.cron_jobs(owner)
    live["spec"]["schedule"] = "0 0 1 1 *"
    space.replace(CRON_JOBS, live)


def _give_work(space: Space, owner: Object) -> None:
    """Have runs ended, more than are kept, and one asked for."""
    for _ in range(PASSED):
        space.end_run(owner, passed=True)
    for _ in range(FAILED):
        space.end_run(owner, passed=False)
    space.annotate(owner["metadata"]["name"], {RUN_REQUESTED_ANNOTATION: str(time.time())})


def _converged(space: Space, name: str) -> bool:
    """Tell whether there is one CronJob as it must be, one run as asked for, and exact totals."""
    one = space.monitor(name)
    cron_jobs, jobs, totals = space.cron_jobs(one), _jobs(space, one), runs(one)
    return bool(
        [job["spec"]["schedule"] != "0 0 1 1 *" for job in cron_jobs] == [True]
        and sum(CAUSE in job["metadata"].get("annotations", {}) for job in jobs) == 1
        and len(jobs) == 1 + sum(KEPT.values())
        and totals.get("passed") == PASSED
        and totals.get("failed", 0) + totals.get("error", 0) == FAILED
        and ready(one)[0] == "Scheduled"
    )


def _jobs(space: Space, owner: Object) -> list[Object]:
    uid = owner["metadata"]["uid"]
    return [
        job for job in space.all_of(JOBS) if job["metadata"].get("labels", {}).get(UID_LABEL) == uid
    ]


def _told(space: Space, name: str) -> str:
    one = space.monitor(name)
    counts = f"{len(space.cron_jobs(one))} CronJobs, {len(_jobs(space, one))} Jobs"
    return f"{counts}, {runs(one)}, {ready(one)}"


def _ready(space: Space, names: list[str]) -> bool:
    return all(ready(space.monitor(name))[0] == "Scheduled" for name in names)


def _through(space: Space, way: Gate, folder: Path) -> AbstractContextManager[Running]:
    way.write_kubeconfig(folder / "kubeconfig")
    return operator(space.name, folder / "kubeconfig")


def _words(*, is_new: bool, is_heard: bool) -> str:
    return f"{'a new' if is_new else 'an edited'} monitor, {'after' if is_heard else 'before'} it"


def _check(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise MissError(otherwise)
