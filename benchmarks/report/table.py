"""What was measured as one table for the terminal: each goal, and whether it is met."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median as middle

from benchmarks.measure.comparison import Comparison
from benchmarks.measure.extra_measurements import MANY_CONNECTIONS, ONE, ROAMING, Memory
from benchmarks.measure.pairs import Pairs, median, undisturbed
from benchmarks.measure.sample import Sample
from benchmarks.measure.workload import CONNECTIONS
from benchmarks.report import targets
from benchmarks.report.targets import PGBENCH
from benchmarks.testbed.variants import OURS, VARIANTS

TITLES = {variant.name: variant.title for variant in VARIANTS} | {PGBENCH: "pgbench, prepared"}
WHAT = 13  # letters of the first column
HEAD = (
    f"{'':{WHAT}}{'beside':36}{'ours':>8}{'theirs':>8}{'ratio':>8}{'min-max':>13}{'by CPU':>8}"
    f"{'goal':>11}"
)
DISTURBED = "not judged: others used the core"
BY_CPU = "by CPU: others used the core"


@dataclass(frozen=True)
class Row:
    """A line of the table; ``found`` is held against the goal."""

    what: str
    beside: str
    ours: float
    theirs: float | None
    found: float
    spread: Sequence[float] = ()
    by_cpu: float | None = None
    goal: str = "-"
    verdict: str = ""

    def __str__(self) -> str:
        """Return the line."""
        theirs, by_cpu = (
            "-" if value is None else f"{value:.{places}f}"
            for value, places in ((self.theirs, _places(self.theirs)), (self.by_cpu, 2))
        )
        spread = f"{min(self.spread):.2f}-{max(self.spread):.2f}" if self.spread else "-"
        names = f"{self.what:{WHAT}}{self.beside:36}{self.ours:8.{_places(self.ours)}f}{theirs:>8}"
        return f"{names}{self.found:8.2f}{spread:>13}{by_cpu:>8}{self.goal:>11}  {self.verdict}"


def lines(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of the table; rates are requests a second, times milliseconds."""
    yield HEAD
    for operation in comparison.extent.operations:
        for name in TITLES:
            if name != OURS:
                wanted = targets.goal(operation, name)
                yield faster(operation, TITLES[name], comparison.pairs(operation, name), wanted)
    for operation in comparison.extent.operations:
        yield tail(operation, CONNECTIONS, comparison.samples[operation, OURS])
        yield tail(operation, MANY_CONNECTIONS, comparison.tails[operation])
    if comparison.add is not None:
        yield faster("add_product", "create", comparison.add, targets.ADD_TO_CREATE)
    yield from more_workers(comparison.workers)
    for operation, pairs in comparison.larger.items():
        yield more_rows(operation, comparison.rows, pairs)
    if comparison.memory is not None:
        yield from _memory(comparison.memory)
    yield from _starts(comparison)
    yield "1,000 monitors: `make operator-bench` measures them, on a cluster"
    yield from _notes(comparison)


def faster(what: str, beside: str, pairs: Pairs, factor: float | None) -> str:
    """Return a row that says how many times as fast ours is; at least ``factor`` is wanted.

    Judged are the rates or, when others had part of the core, the processor's time.
    """
    rates = median(pairs.ours), median(pairs.theirs)
    ratio, by_cpu = middle(pairs.rates), pairs.by_cpu
    if factor is None:
        verdict = ""
    elif pairs.undisturbed:
        verdict = _at_least(ratio, factor)
    elif by_cpu is None:
        verdict = DISTURBED
    else:
        verdict = f"{_at_least(by_cpu, factor)}, {BY_CPU}"
    goal = "-" if factor is None else f">= {factor:.2f}"
    return str(Row(what, beside, *rates, ratio, pairs.rates, by_cpu, goal, verdict))


def tail(operation: str, connections: int, samples: Sequence[Sample]) -> str:
    """Return the row of p99 beside p50."""
    widths = [sample.p99 / sample.p50 for sample in samples]
    refused = median(samples, "refused")
    turned_away = f"{refused:.0%} turned away" if refused else ""
    goal = f"<= {targets.WIDEST_TAIL:.2f}"
    verdict = _at_most(middle(widths), targets.WIDEST_TAIL) if undisturbed(samples) else DISTURBED
    if connections > MANY_CONNECTIONS:
        goal, verdict = "-", ""
    return str(
        Row(
            f"{operation} p99",
            f"p50, {connections} connections, ms",
            median(samples, "p99"),
            median(samples, "p50"),
            middle(widths),
            widths,
            goal=goal,
            verdict="; ".join(filter(None, (verdict, turned_away))),
        )
    )


def more_rows(operation: str, rows: int, pairs: Pairs) -> str:
    """Return the row of a larger table beside the one of ten thousand rows."""
    wanted = 1 / targets.SLOWER_ON_A_MILLION if rows >= targets.MILLION else None
    return faster(operation, f"10,000 rows; ours has {rows:,}", pairs, wanted)


def more_workers(workers: dict[str, Pairs]) -> Iterator[str]:
    """Yield the rows of two workers."""
    wanted = {ONE: targets.TWO_WORKERS, ROAMING: None}
    for beside, pairs in workers.items():
        yield faster("two workers", beside, pairs, wanted[beside])


def _memory(memory: Memory) -> Iterator[str]:
    wanted, after = targets.LARGEST_WORKER, f"after {memory.requests:,} requests"
    verdict = _at_most(memory.worker, wanted)
    enough = memory.requests >= targets.REQUESTS
    if not enough:
        verdict = f"not judged: {targets.REQUESTS:,} requests are wanted"
    yield _limit("memory, MB", f"a worker {after}", [memory.worker], wanted, verdict)
    yield _limit("memory, MB", "and with gunicorn's master", [memory.whole], None, "")


def _starts(comparison: Comparison) -> Iterator[str]:
    wanted = targets.LONGEST_START
    alone = [start.undisturbed for start in comparison.starts]
    ways = {
        "from exec to the first 200": [start.from_exec for start in comparison.starts],
        "from the worker's fork to it": [start.from_fork for start in comparison.starts],
    }
    for way, seconds in ways.items():
        verdict = _at_most(middle(seconds), wanted)
        if verdict != "met" and sum(alone) * 2 < len(alone):
            verdict = DISTURBED
        yield _limit("start, s", way, seconds, wanted, verdict)
    computing = [start.cpu for start in comparison.starts]
    yield _limit("start, s", "of the processor's time", computing, None, "")


def _limit(
    what: str, which: str, found: Sequence[float], wanted: float | None, verdict: str
) -> str:
    """Return a row of something that stands beside nothing."""
    value = middle(found)
    goal = "-" if wanted is None else f"<= {wanted:.2f}"
    spread = found if len(found) > 1 else ()
    return str(Row(what, which, value, None, value, spread, goal=goal, verdict=verdict))


def _notes(comparison: Comparison) -> Iterator[str]:
    yield ""
    for operation in comparison.extent.operations:
        samples = comparison.samples[operation, OURS]
        cpu, busy = median(samples, "cpu"), median(samples, "server_busy")
        yield f"{operation}: {cpu:.0f} us of CPU a request; the server's core was {busy:.0%} ours"
    load = max(sample.load_busy for sample in chain.from_iterable(comparison.samples.values()))
    yield (
        f"the generator's own limit: {comparison.ceiling:.0f} requests a second; it was never"
        f" busier than {load:.0%} of its core"
    )


def _at_least(found: float, wanted: float) -> str:
    return "met" if found >= wanted else f"missed by {1 - found / wanted:.0%}"


def _at_most(found: float, wanted: float) -> str:
    return "met" if found <= wanted else f"missed by {found / wanted - 1:.0%}"


def _places(value: float | None) -> int:
    """Return how many decimal places a figure is shown with."""
    return 0 if value is None or abs(value) >= 100 else 2 if abs(value) < 10 else 1  # noqa: PLR2004
