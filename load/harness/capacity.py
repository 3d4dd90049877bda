"""The highest rate that meets the thresholds, by bisection, and what had no more to give there."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from load.harness.process_sampler import Watch
from load.harness.recording import REFUSED
from load.harness.run import Order, execute, say, tell
from load.harness.run_result import Outcome
from load.harness.saturation import Step, saturated, table
from load.harness.service_metrics import Looks

CLOSE = 1.1  # the search ends when its bounds are so near to each other
GAP = 3.0  # seconds in which the system comes to rest between two rates
DOUBLINGS = 3  # of the upper bound


class CapacityError(Exception):
    """There is no rate to be found; the message says why."""


@dataclass(frozen=True)
class Sight:
    """Where to look while a system is loaded."""

    data: Path  # the folder of a run on this machine
    targets: Sequence[str]  # ``host:port`` of each process that tells what it counts


def search(attempt: Callable[[float], Step], low: float, high: float) -> tuple[Step, Step | None]:
    """Return the highest rate that was met, and the lowest that was not, if any was missed.

    ``high`` is doubled while it is met, a few times.

    Raises:
        CapacityError: ``low`` is missed, or is not below ``high``.

    """
    if low >= high:
        raise CapacityError(f"LOW is {low:g} and HIGH {high:g}: LOW must be below HIGH")
    met = attempt(low)
    if met.missed:
        raise CapacityError(f"{low:g} actions a second miss already: {told(met)}")
    for times in range(DOUBLINGS + 1):
        missed = attempt(high * 2**times)
        if missed.missed:
            break
        met = missed
    else:
        return met, None
    while missed.rate / met.rate > CLOSE:
        between = (missed.rate * met.rate) ** 0.5  # by ratio: 10 to 20 is as far as 100 to 200
        step = attempt(between)
        met, missed = (met, step) if step.missed else (step, missed)
    return met, missed


def climb(
    order: Order, reports: Path, sight: Sight, low: float, high: float, seconds: float
) -> str:
    """Search on a real system, and return what was found as lines for a person."""

    def attempt(rate: float) -> Step:
        step = _try(replace(order, load=rate, seconds=seconds), reports, sight)
        say(f"{rate:.0f} actions a second: {told(step) if step.missed else 'met'}")
        time.sleep(GAP)
        return step

    return found(*search(attempt, low, high))


def found(met: Step, missed: Step | None) -> str:
    """Return what a search has found as lines for a person."""
    head = f"{met.rate:.0f} actions a second meet the thresholds"
    if missed is None:
        return f"{head}, and no higher rate was tried: search with a higher HIGH"
    first, *others = saturated(missed)
    return "\n".join(
        [
            head,
            f"{missed.rate:.0f} do not: {told(missed)}",
            f"what saturated first: {first}",
            *(f"as full by then: {other}" for other in others),
            "",
            f"{'cores in use, then what services told':40}{met.rate:8.0f}/s{missed.rate:8.0f}/s",
            *(
                f"{name:40}{before:10.2f}{after:10.2f}"
                for name, before, after in table(met, missed)
            ),
        ]
    )


def told(step: Step) -> str:
    """Return what missed, in a few words: of what was too slow, the slowest."""
    worst = sorted(step.missed, key=lambda row: -row.times)[:2]
    return "; ".join(f"{row.name} was {row.seen}, {row.limit}" for row in worst)


def _try(order: Order, reports: Path, sight: Sight) -> Step:
    assert order.load is not None  # noqa: S101 - the search sets it
    folder = reports / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{order.load:.0f}"
    seconds = order.seconds or 1
    with Watch(sight.data) as watch, Looks(sight.targets) as looks:
        outcome = execute(order, folder)
    return Step(
        order.load,
        tell(outcome, folder, None),
        watch.busiest(seconds),
        _refused(outcome),
        looks.fullest(seconds),
    )


def _refused(outcome: Outcome) -> dict[str, int]:
    cells = outcome.recording.by_operation(*outcome.span).items()
    return {name: cell.outcomes[REFUSED] for name, cell in cells if cell.outcomes[REFUSED]}
