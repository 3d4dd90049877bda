"""Search for the highest rate that meets the thresholds, and for the bottleneck above it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from load.harness.call_stats import REFUSED
from load.harness.process_sampler import ProcessSampler
from load.harness.progress import report
from load.harness.run import execute, report_folder, write_report
from load.harness.run_config import RunConfig
from load.harness.run_result import RunResult
from load.harness.saturation import Step, bottlenecks, utilisation_table
from load.harness.service_metrics import MetricsSampler

STOP_RATIO = 1.1  # of the search's bounds
REST_SECONDS = 3.0  # between two rates
MAX_DOUBLINGS = 3  # of the upper bound
MAX_REASONS = 2


class CapacityError(Exception):
    """The search cannot find a rate; the message gives the reason."""


@dataclass(frozen=True)
class Observed:
    """Sources of the utilisation of a system."""

    data: Path  # the folder of a system on this machine
    targets: Sequence[str]  # ``host:port`` of each process that exposes metrics


def search(attempt: Callable[[float], Step], low: float, high: float) -> tuple[Step, Step | None]:
    """Return the highest rate that was met, and the lowest that was missed, by bisection.

    ``high`` is doubled a few times while it is met; without a missed rate the second is None.

    Raises:
        CapacityError: ``low`` is missed, or is not below ``high``.

    """
    if low >= high:
        raise CapacityError(f"LOW is {low:g} and HIGH {high:g}: LOW must be below HIGH")
    met = attempt(low)
    if met.missed:
        raise CapacityError(f"{low:g} actions a second already miss: {worst_misses(met)}")
    for doublings in range(MAX_DOUBLINGS + 1):
        missed = attempt(high * 2**doublings)
        if missed.missed:
            break
        met = missed
    else:
        return met, None
    while missed.rate / met.rate > STOP_RATIO:
        step = attempt((missed.rate * met.rate) ** 0.5)  # the geometric mean
        met, missed = (met, step) if step.missed else (step, missed)
    return met, missed


def find_capacity(
    config: RunConfig, reports: Path, observed: Observed, low: float, high: float, seconds: float
) -> str:
    """Search on a real system, and return the result as text."""

    def attempt(rate: float) -> Step:
        step = _run_step(replace(config, load=rate, seconds=seconds), rate, reports, observed)
        report(f"{rate:.0f} actions a second: {worst_misses(step) if step.missed else 'met'}")
        time.sleep(REST_SECONDS)
        return step

    return format_result(*search(attempt, low, high))


def format_result(met: Step, missed: Step | None) -> str:
    """Return the result of a search as text."""
    head = f"{met.rate:.0f} actions a second meet the thresholds"
    if missed is None:
        return f"{head}, and no higher rate was tried: search with a higher HIGH"
    first, *others = bottlenecks(missed)
    rows = utilisation_table(met, missed)
    return "\n".join(
        [
            head,
            f"{missed.rate:.0f} do not: {worst_misses(missed)}",
            f"saturated first: {first}",
            *(f"also saturated: {other}" for other in others),
            "",
            f"{'cores in use, then metrics of services':40}{met.rate:8.0f}/s{missed.rate:8.0f}/s",
            *(f"{name:40}{before:10.2f}{after:10.2f}" for name, before, after in rows),
        ]
    )


def worst_misses(step: Step) -> str:
    """Return the checks that a step missed by most."""
    worst = sorted(step.missed, key=lambda check: -check.ratio)[:MAX_REASONS]
    return "; ".join(f"{check.name} was {check.observed}, {check.limit}" for check in worst)


def _run_step(config: RunConfig, rate: float, reports: Path, observed: Observed) -> Step:
    folder = report_folder(reports, f"{rate:.0f}")
    seconds = config.seconds or 1
    with (
        ProcessSampler(observed.data) as processes,
        MetricsSampler(observed.targets) as services,
    ):
        result = execute(config, folder)
    return Step(
        rate,
        write_report(result, folder, None),
        processes.busiest(seconds),
        _refused(result),
        services.busiest(seconds),
    )


def _refused(result: RunResult) -> dict[str, int]:
    operations = result.recording.by_operation(*result.span).items()
    return {name: stats.outcomes[REFUSED] for name, stats in operations if stats.outcomes[REFUSED]}
