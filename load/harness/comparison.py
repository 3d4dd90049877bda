"""Comparison of a run with an earlier one, operation by operation."""

from dataclasses import dataclass

from load.harness.call_stats import OK, CallStats
from load.harness.run_result import RunResult

MIN_CALLS = 20  # of both runs
NOTICEABLE_RATIO = 1.3  # a smaller change is within noise


@dataclass(frozen=True)
class Difference:
    """Latencies of one operation in both runs, in ms."""

    name: str
    earlier: tuple[float, float]  # p50, p95
    now: tuple[float, float]
    verdict: str


def compare(earlier: RunResult, now: RunResult) -> list[Difference]:
    """Return a row for each operation that both runs called often enough.

    Medians are divided by the baseline latency of their run, since the machines may differ.
    """
    both = earlier.baseline_latency and now.baseline_latency
    machine_ratio = now.baseline_latency / earlier.baseline_latency if both else 1.0
    before, after = _limited_phases(earlier), _limited_phases(now)
    rows = []
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name], after[name]
        if min(old.outcomes[OK], new.outcomes[OK]) < MIN_CALLS:
            continue
        ratio = new.percentile(0.5) / (old.percentile(0.5) * machine_ratio)
        rows.append(Difference(name, _p50_p95(old), _p50_p95(new), _verdict(ratio)))
    return rows


def _verdict(ratio: float) -> str:
    if ratio > NOTICEABLE_RATIO:
        return f"{ratio:.1f} times SLOWER"
    return f"{ratio:.1f} times" + (" faster" if ratio < 1 / NOTICEABLE_RATIO else "")


def _p50_p95(stats: CallStats) -> tuple[float, float]:
    return stats.percentile(0.5), stats.percentile(0.95)


def _limited_phases(result: RunResult) -> dict[str, CallStats]:
    """Return the statistics by operation, of the phases with limits on latency."""
    operations: dict[str, CallStats] = {}
    for phase, begin, end in result.spans():
        if phase.has_limits:
            for name, stats in result.recording.by_operation(begin, end).items():
                operations.setdefault(name, CallStats()).add(stats)
    return operations
