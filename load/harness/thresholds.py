"""Holds a run against the thresholds of its shape: a row for each thing that must be so."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from load.harness.recording import JOURNEY, OK, REFUSED
from load.harness.run_result import Outcome

FOLDER = Path(__file__).resolve().parent.parent / "thresholds"
PERCENTILES: Mapping[str, tuple[float, int]] = {
    "p50": (0.5, 10),
    "p95": (0.95, 40),
    "p99": (0.99, 200),
}
WINDOW = 3  # seconds over which a recovery is looked at
KEYS = {"failed", "refused", "answered", "headroom", "recovery", "latency"}
# what costs more by its nature, in quiet latencies: calls to two other services, a password hash
DEAR = {"POST /inventory/add_product": 4, "POST /users/login": 8}
DEAR_JOURNEY = 40  # up to a dozen calls, one after the other, with a hash among them


class ThresholdError(Exception):
    """A file of thresholds says something that cannot be; the message names it."""


@dataclass(frozen=True)
class Row:
    """One threshold: what was seen, what may be, and whether it held."""

    name: str
    seen: str
    limit: str
    holds: bool
    times: float = math.inf  # the limit, where there are many alike: which is missed by most


def read(path: Path) -> dict[str, Any]:
    """Read a file of thresholds.

    Raises:
        ThresholdError: it has a key that is not one of ours, or lacks one that it needs.

    """
    try:
        found = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ThresholdError(f"{path}: {error}") from error
    unknown = found.keys() - KEYS
    unknown |= {f"latency.{name}" for name in found.get("latency", {}) if name not in PERCENTILES}
    if unknown:
        raise ThresholdError(f"{path}: {', '.join(sorted(unknown))}: no such threshold")
    missing = {"failed", "refused", "answered", "headroom", "latency"} - found.keys()
    if missing:
        raise ThresholdError(f"{path}: {', '.join(sorted(missing))} must be set")
    return found


def judge(outcome: Outcome, limits: Mapping[str, Any]) -> list[Row]:
    """Return every row, the ones that missed included."""
    return [
        *_counts(outcome, limits),
        *_latencies(outcome, limits["latency"]),
        *_recovery(outcome, limits.get("recovery")),
        *_consistency(outcome),
        *_headroom(outcome, limits["headroom"]),
    ]


def _counts(outcome: Outcome, limits: Mapping[str, Any]) -> Iterator[Row]:
    total = outcome.recording.sum(*outcome.span)
    failed = {
        name: cell
        for name, cell in outcome.recording.by_operation(*outcome.span).items()
        if cell.failed
    }
    if not total.count:
        yield Row("calls", "0", "at least 1", holds=False)
    share = total.failed / max(1, total.count)
    yield Row(
        "failed calls", f"{share:.2%}", f"at most {limits['failed']:.2%}", share <= limits["failed"]
    )
    if share > limits["failed"]:
        for name, cell in failed.items():
            kinds = ", ".join(
                f"{n} x {kind}" for kind, n in cell.outcomes.items() if kind not in {OK, REFUSED}
            )
            yield Row(
                f"failed: {name}", f"{cell.failed} of {cell.count} ({kinds})", "0", holds=False
            )
    share = total.outcomes[REFUSED] / max(1, total.count)
    limit = f"at most {limits['refused']:.0%}"
    yield Row("refused with Retry-After", f"{share:.1%}", limit, share <= limits["refused"])
    if outcome.plan.model == "open":
        share = outcome.answered()
        limit = f"at least {limits['answered']:.0%}"
        yield Row(
            "calls for each arrival asked", f"{share:.1%}", limit, share >= limits["answered"]
        )


def _latencies(outcome: Outcome, limits: Mapping[str, Mapping[str, float]]) -> Iterator[Row]:
    quiet = outcome.quiet
    for phase, begin, end in outcome.spans():
        if not phase.judged or phase.name == "quiet":
            continue
        for name, cell in outcome.recording.by_operation(begin, end).items():
            for kind, limit in limits.items():
                share, enough = PERCENTILES[kind]
                if cell.outcomes[OK] < enough:
                    continue  # so few say nothing about it
                most = max(limit["floor"], limit["times"] * _dear(name) * quiet)
                seen = cell.percentile(share)
                yield Row(
                    f"{phase.name}: {kind} of {name}",
                    f"{seen:.0f} ms",
                    f"at most {most:.0f} ms",
                    seen <= most,
                    seen / most,
                )


def _dear(name: str) -> int:
    """Return how many quiet latencies an operation may take by its nature."""
    return DEAR_JOURNEY if name.startswith(f"{JOURNEY} ") else DEAR.get(name, 1)


def _recovery(outcome: Outcome, limit: Mapping[str, float] | None) -> Iterator[Row]:
    if limit is None:
        return
    spans = {phase.name: (begin, end) for phase, begin, end in outcome.spans()}
    _, ended = spans["spike"]
    most = max(limit["floor"], limit["times"] * _p99(outcome, *spans["before"]))
    after = (ended + second for second in range(int(spans["after"][1] - ended) - WINDOW))
    well = next((t for t in after if _p99(outcome, t, t + WINDOW) <= most), None)
    seen = "never" if well is None else f"{well - ended:.0f} s"
    holds = well is not None and well - ended <= limit["seconds"]
    yield Row(f"until p99 is {most:.0f} ms again", seen, f"at most {limit['seconds']:.0f} s", holds)


def _p99(outcome: Outcome, begin: float, end: float) -> float:
    return outcome.recording.sum(begin, end).percentile(0.99)


def _consistency(outcome: Outcome) -> Iterator[Row]:
    seen = outcome.consistency
    bought = f"{seen.least}" if seen.least == seen.most else f"{seen.least} to {seen.most}"
    name = f"items listed for {seen.clients} clients"
    yield Row(name, f"{seen.listed}", f"{bought}, as bought", seen.holds)
    for wrong in seen.wrong[:20]:
        yield Row("inventory", wrong, "what was bought", holds=False)


def _headroom(outcome: Outcome, least: float) -> Iterator[Row]:
    if outcome.cost:
        busiest = max(outcome.per_second(), default=0.0)
        share = outcome.cost * outcome.processes / max(1.0, busiest)
        seen = f"{share:.1f} times the busiest second"
        yield Row("what the client alone can do", seen, f"at least {least:g} times", share >= least)
