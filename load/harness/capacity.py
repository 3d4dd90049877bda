"""The highest rate that meets the thresholds, by bisection, and what had no more to give there."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.judge import Row
from harness.outcome import Outcome
from harness.processes import CLIENT, DISK, MACHINE, OTHERS, Watch
from harness.recording import REFUSED
from harness.run import Order, execute, say, tell

CLOSE = 1.1  # the search ends when its bounds are so near to each other
FULL = 0.8  # of one core: a process of one worker has little more to give
GAP = 3.0  # seconds in which the system comes to rest between two rates
WORTH_SAYING = 0.02  # of a core


class CapacityError(Exception):
    """There is no rate to be found; the message says why."""


@dataclass(frozen=True)
class Step:
    """One rate, and what was seen at it."""

    rate: float
    missed: list[Row] = field(default_factory=list)
    busy: Mapping[str, float] = field(default_factory=dict)  # cores, by part
    refused: Mapping[str, int] = field(default_factory=dict)  # calls, by operation


def search(attempt: Callable[[float], Step], low: float, high: float) -> tuple[Step, Step]:
    """Return the highest rate that was met, and the lowest that was not.

    Raises:
        CapacityError: ``low`` is missed, or ``high`` is met.

    """
    met, missed = attempt(low), attempt(high)
    if met.missed:
        raise CapacityError(f"{low:g} actions a second miss already: {told(met)}")
    if not missed.missed:
        raise CapacityError(f"{high:g} actions a second are met as well: search with a higher HIGH")
    while missed.rate / met.rate > CLOSE:
        step = attempt(
            (missed.rate * met.rate) ** 0.5
        )  # by ratio: 10 to 20 is as far as 100 to 200
        met, missed = (met, step) if step.missed else (step, missed)
    return met, missed


def climb(order: Order, reports: Path, data: Path, low: float, high: float, seconds: float) -> str:
    """Search on a real system, and return what was found as lines for a person."""

    def attempt(rate: float) -> Step:
        step = _try(replace(order, load=rate, seconds=seconds), reports, data)
        say(f"{rate:.0f} actions a second: {told(step) if step.missed else 'met'}")
        time.sleep(GAP)
        return step

    met, missed = search(attempt, low, high)
    return "\n".join(
        [
            f"{met.rate:.0f} actions a second meet the thresholds",
            f"{missed.rate:.0f} do not: {told(missed)}",
            f"what saturated first: {saturated(missed)}",
            "",
            f"{'cores in use':24}{met.rate:8.0f}/s{missed.rate:8.0f}/s",
            *(
                f"{name:24}{met.busy.get(name, 0):10.2f}{used:10.2f}"
                for name, used in sorted(missed.busy.items(), key=lambda item: -item[1])
                if used > WORTH_SAYING
            ),
        ]
    )


def saturated(step: Step) -> str:
    """Return what had no more to give, of what can be seen from this machine."""
    parts = {n: used for n, used in step.busy.items() if n not in {MACHINE, DISK, CLIENT, OTHERS}}
    name, used = max(parts.items(), key=lambda item: item[1], default=("", 0.0))
    machine, disk = step.busy.get(MACHINE, 0.0), step.busy.get(DISK, 0.0)
    others = step.busy.get(OTHERS, 0.0)
    logins = sum(n for operation, n in step.refused.items() if "login" in operation)
    refused = sum(step.refused.values())
    found = {
        f"password hashing: {logins} logins were refused": logins > 0,
        f"CPU of {name}: {used:.2f} of the one core that its process can use": used > FULL,
        f"CPU of the machine, of which others used {others:.1f} cores": machine > FULL
        and others > 1,
        f"CPU of the machine ({machine:.0%}), the load's share included": machine > FULL,
        f"the disk: {disk:.0%} of the time was spent waiting for it": disk > 1 - FULL,
        f"a pool or a queue: {refused} calls were refused with CPU to spare": refused > 0,
        "unknown: the system is not on this machine, or DATA is not its folder": not parts,
        "nothing that can be seen here: no CPU was full, nothing was refused": True,
    }
    return next(reason for reason, is_so in found.items() if is_so)


def told(step: Step) -> str:
    """Return what missed, in a few words."""
    return "; ".join(f"{row.name} was {row.seen}, {row.limit}" for row in step.missed[:2])


def _try(order: Order, reports: Path, data: Path) -> Step:
    assert order.load is not None  # noqa: S101 - the search sets it
    folder = reports / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{order.load:.0f}"
    with Watch(data) as watch:
        outcome = execute(order, folder)
    return Step(
        order.load,
        tell(outcome, folder, None),
        watch.busiest(order.seconds or 1),
        _refused(outcome),
    )


def _refused(outcome: Outcome) -> dict[str, int]:
    cells = outcome.recording.by_operation(*outcome.span).items()
    return {name: cell.outcomes[REFUSED] for name, cell in cells if cell.outcomes[REFUSED]}
