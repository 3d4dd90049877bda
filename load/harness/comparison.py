"""A run beside an earlier one: what became slower, what became faster."""

from dataclasses import dataclass

from load.harness.recording import OK, Cell
from load.harness.run_result import Outcome

ENOUGH = 20  # calls on both sides
CLEAR = 1.3  # times slower or faster; less than that is the weather


@dataclass(frozen=True)
class Difference:
    """One operation's latencies, in ms, in both runs."""

    name: str
    earlier: tuple[float, float]  # p50, p95
    now: tuple[float, float]
    verdict: str


def compare(earlier: Outcome, now: Outcome) -> list[Difference]:
    """Return a row for each operation that both runs have called often enough.

    The medians are weighed by each run's own quiet latency: another day's machine is another one.
    """
    weather = now.quiet / earlier.quiet if earlier.quiet and now.quiet else 1.0
    before, after = _judged(earlier), _judged(now)
    rows = []
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name], after[name]
        if min(old.outcomes[OK], new.outcomes[OK]) < ENOUGH:
            continue
        times = new.percentile(0.5) / (old.percentile(0.5) * weather)
        verdict = f"{times:.1f} times" + (
            " SLOWER" if times > CLEAR else " faster" if times < 1 / CLEAR else ""
        )
        rows.append(Difference(name, _pair(old), _pair(new), verdict))
    return rows


def _pair(cell: Cell) -> tuple[float, float]:
    return cell.percentile(0.5), cell.percentile(0.95)


def _judged(outcome: Outcome) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for phase, begin, end in outcome.spans():
        if phase.judged and phase.name != "quiet":
            for name, cell in outcome.recording.by_operation(begin, end).items():
                cells.setdefault(name, Cell()).add(cell)
    return cells
