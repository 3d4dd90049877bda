"""Evaluation of a run against the thresholds of its shape."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from load.harness.call_stats import JOURNEY, OK, REFUSED
from load.harness.run_result import RunResult

FOLDER = Path(__file__).resolve().parent.parent / "thresholds"
PERCENTILES: Mapping[str, tuple[float, int]] = {  # fraction, and the calls that it needs
    "p50": (0.5, 10),
    "p95": (0.95, 40),
    "p99": (0.99, 200),
}
RECOVERY_WINDOW_SECONDS = 3
REQUIRED_KEYS = {"failed", "refused", "answered", "headroom", "latency"}
# Operations that need several baseline latencies: calls of two other services, a password hash.
COST_FACTORS = {"POST /inventory/add_product": 4, "POST /users/login": 8}
JOURNEY_COST_FACTOR = 40  # up to a dozen calls in sequence, a password hash among them
MAX_INVENTORY_ERRORS = 20  # that are listed


class ThresholdError(Exception):
    """A threshold file is invalid; the message names the file and the key."""


@dataclass(frozen=True)
class Check:
    """One threshold: the observed value, its limit, and the result."""

    name: str
    observed: str
    limit: str
    passed: bool
    ratio: float = math.inf  # of a latency to its limit, which ranks the latencies that missed


def load_thresholds(shape: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Read the thresholds of a shape.

    Raises:
        ThresholdError: a key is unknown, or a required one is missing.

    """
    path = folder / f"{shape}.toml"
    try:
        limits = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ThresholdError(f"{path}: {error}") from error
    unknown = limits.keys() - REQUIRED_KEYS - {"recovery"}
    unknown |= {f"latency.{name}" for name in limits.get("latency", {}) if name not in PERCENTILES}
    if unknown:
        raise ThresholdError(f"{path}: {', '.join(sorted(unknown))}: no such threshold")
    missing = REQUIRED_KEYS - limits.keys()
    if missing:
        raise ThresholdError(f"{path}: {', '.join(sorted(missing))} must be set")
    return limits


def evaluate(result: RunResult, limits: Mapping[str, Any]) -> list[Check]:
    """Return all checks, passed and missed."""
    return [
        *_outcomes(result, limits),
        *_latencies(result, limits["latency"]),
        *_recovery(result, limits.get("recovery")),
        *_consistency(result),
        *_headroom(result, limits["headroom"]),
    ]


def _outcomes(result: RunResult, limits: Mapping[str, Any]) -> Iterator[Check]:
    total = result.recording.sum(*result.span)
    if not total.count:
        yield Check("calls", "0", "at least 1", passed=False)
    share = total.failed / max(1, total.count)
    is_met = share <= limits["failed"]
    yield Check("failed calls", f"{share:.2%}", f"at most {limits['failed']:.2%}", is_met)
    if not is_met:
        yield from _failed_operations(result)
    share = total.outcomes[REFUSED] / max(1, total.count)
    limit = f"at most {limits['refused']:.0%}"
    yield Check("refused with Retry-After", f"{share:.1%}", limit, share <= limits["refused"])
    if result.plan.model == "open":
        share, least = result.calls_per_arrival(), limits["answered"]
        yield Check(
            "calls for each planned arrival",
            f"{share:.1%}",
            f"at least {least:.0%}",
            share >= least,
        )


def _failed_operations(result: RunResult) -> Iterator[Check]:
    for name, stats in result.recording.by_operation(*result.span).items():
        kinds = ", ".join(
            f"{n} x {kind}" for kind, n in stats.outcomes.items() if kind not in {OK, REFUSED}
        )
        if stats.failed:
            observed = f"{stats.failed} of {stats.count} ({kinds})"
            yield Check(f"failed: {name}", observed, "0", passed=False)


def _latencies(result: RunResult, limits: Mapping[str, Mapping[str, float]]) -> Iterator[Check]:
    for phase, begin, end in result.spans():
        if phase.has_limits:
            for name, stats in result.recording.by_operation(begin, end).items():
                baseline = _cost_factor(name) * result.baseline_latency
                for kind, limit in limits.items():
                    fraction, min_calls = PERCENTILES[kind]
                    if stats.outcomes[OK] >= min_calls:
                        most = max(limit["floor"], limit["times"] * baseline)
                        title = f"{phase.name}: {kind} of {name}"
                        yield _latency(title, stats.percentile(fraction), most)


def _latency(title: str, observed: float, most: float) -> Check:
    limit, is_met = f"at most {most:.0f} ms", observed <= most
    return Check(title, f"{observed:.0f} ms", limit, is_met, observed / most)


def _cost_factor(name: str) -> int:
    """Return the number of baseline latencies that an operation may take."""
    return JOURNEY_COST_FACTOR if name.startswith(f"{JOURNEY} ") else COST_FACTORS.get(name, 1)


def _recovery(result: RunResult, limit: Mapping[str, float] | None) -> Iterator[Check]:
    if limit is None:
        return
    spans = {phase.name: (begin, end) for phase, begin, end in result.spans()}
    _, ended = spans["spike"]
    most = max(limit["floor"], limit["times"] * _p99(result, *spans["before"]))
    seconds = range(int(spans["after"][1] - ended) - RECOVERY_WINDOW_SECONDS)
    recovered = (
        second
        for second in seconds
        if _p99(result, ended + second, ended + second + RECOVERY_WINDOW_SECONDS) <= most
    )
    first = next(recovered, None)
    observed = "never" if first is None else f"{first} s"
    is_met = first is not None and first <= limit["seconds"]
    title = f"until p99 is at most {most:.0f} ms"
    yield Check(title, observed, f"at most {limit['seconds']:.0f} s", is_met)


def _p99(result: RunResult, begin: float, end: float) -> float:
    return result.recording.sum(begin, end).percentile(0.99)


def _consistency(result: RunResult) -> Iterator[Check]:
    found = result.consistency
    bought = f"{found.least}" if found.least == found.most else f"{found.least} to {found.most}"
    title = f"items listed for {found.clients} clients"
    yield Check(title, f"{found.listed}", f"{bought}, as bought", found.is_consistent)
    for error in found.wrong[:MAX_INVENTORY_ERRORS]:
        yield Check("inventory", error, "as bought", passed=False)


def _headroom(result: RunResult, least: float) -> Iterator[Check]:
    if result.client_ceiling:
        busiest = max(result.calls_per_second(), default=0.0)
        ratio = result.client_ceiling * result.processes / max(1.0, busiest)
        observed = f"{ratio:.1f} times the busiest second"
        yield Check("client ceiling", observed, f"at least {least:g} times", ratio >= least)
