"""Results of a comparison as a table, with a verdict on each target."""

from collections.abc import Iterator, Sequence
from itertools import chain
from statistics import median as middle

from benchmarks.measure.cadastro_only import MANY_CONNECTIONS, ONE, MemoryUsage
from benchmarks.measure.comparison import Comparison
from benchmarks.measure.paired_samples import PairedSamples, is_undisturbed, median
from benchmarks.measure.sample import Sample
from benchmarks.measure.workload import CONNECTIONS
from benchmarks.report import targets
from benchmarks.report.row import BY_CPU, DISTURBED, HEAD, Row, at_least, at_most
from benchmarks.report.targets import PGBENCH
from benchmarks.testbed.variants import OURS, VARIANTS

__all__ = ["HEAD", "TITLES", "lines", "more_rows", "tail", "two_workers"]

TITLES = {variant.name: variant.title for variant in VARIANTS} | {PGBENCH: "pgbench, prepared"}


def lines(comparison: Comparison) -> Iterator[str]:
    """Yield the table; rates are requests a second, times milliseconds."""
    yield HEAD
    for operation in comparison.workload.operations:
        for name in TITLES:
            if name != OURS:
                target = targets.RATE_RATIOS.get((operation, name))
                yield speed(operation, TITLES[name], comparison.pairs(operation, name), target)
    for operation in comparison.workload.operations:
        yield tail(operation, CONNECTIONS, comparison.samples[operation, OURS])
        yield tail(operation, MANY_CONNECTIONS, comparison.tails[operation])
    if comparison.add_product is not None:
        target = targets.MIN_ADD_TO_CREATE
        yield speed("add_product", "create", comparison.add_product, target)
    if comparison.two_workers is not None:
        yield two_workers(comparison.two_workers)
    for operation, pairs in comparison.larger.items():
        yield more_rows(operation, comparison.larger_rows, pairs)
    if comparison.memory is not None:
        yield from _memory(comparison.memory)
    yield from _cold_starts(comparison)
    yield "1,000 monitors: `make operator-bench` measures them, on a cluster"
    yield from _notes(comparison)


def speed(name: str, against: str, pairs: PairedSamples, target: float | None) -> str:
    """Return the row of two speeds, with a minimum of their ratio.

    The target applies to the rates or, when other processes used the core, to the CPU times.
    """
    rates = median(pairs.ours), median(pairs.theirs)
    ratio, by_cpu = middle(pairs.rate_ratios), pairs.cpu_ratio
    if target is None:
        verdict = ""
    elif pairs.is_undisturbed:
        verdict = at_least(ratio, target)
    elif by_cpu is None:
        verdict = DISTURBED
    else:
        verdict = f"{at_least(by_cpu, target)}, {BY_CPU}"
    shown = "-" if target is None else f">= {target:.2f}"
    return str(Row(name, against, *rates, ratio, pairs.rate_ratios, by_cpu, shown, verdict))


def tail(operation: str, connections: int, samples: Sequence[Sample]) -> str:
    """Return the report row of the tail latency: p99 against p50."""
    ratios = [sample.p99 / sample.p50 for sample in samples]
    refused = median(samples, "refused")
    note = f"{refused:.0%} refused" if refused else ""
    target, verdict = "-", ""
    if connections <= MANY_CONNECTIONS:  # more of them have no target
        most = targets.MAX_TAIL_RATIO
        target = f"<= {most:.2f}"
        verdict = at_most(middle(ratios), most) if is_undisturbed(samples) else DISTURBED
    return str(
        Row(
            f"{operation} p99",
            f"p50, {connections} connections, ms",
            median(samples, "p99"),
            median(samples, "p50"),
            middle(ratios),
            ratios,
            target=target,
            verdict="; ".join(filter(None, (verdict, note))),
        )
    )


def more_rows(operation: str, rows: int, pairs: PairedSamples) -> str:
    """Return the report row that compares a database table of ``rows`` rows with one of 10,000."""
    target = targets.MIN_LARGER_RATE if rows >= targets.LARGER_ROWS else None
    return speed(operation, f"10,000 rows; ours has {rows:,}", pairs, target)


def two_workers(pairs: PairedSamples) -> str:
    """Return the report row that compares two workers with one."""
    return speed("two workers", ONE, pairs, targets.MIN_TWO_WORKERS)


def _memory(memory: MemoryUsage) -> Iterator[str]:
    most, after = targets.MAX_WORKER_MB, f"after {memory.requests:,} requests"
    verdict = at_most(memory.worker, most)
    if memory.requests < targets.MEMORY_REQUESTS:
        verdict = f"not evaluated: {targets.MEMORY_REQUESTS:,} requests are needed"
    yield _maximum("memory, MB", f"a worker {after}", [memory.worker], most, verdict)
    yield _maximum("memory, MB", "with gunicorn's master", [memory.total], None, "")


def _cold_starts(comparison: Comparison) -> Iterator[str]:
    most = targets.MAX_START_SECONDS
    starts = comparison.cold_starts
    undisturbed = [start.is_undisturbed for start in starts]
    durations = {
        "from exec to the first 200": [start.from_exec for start in starts],
        "from the worker's fork": [start.from_fork for start in starts],
    }
    for name, seconds in durations.items():
        verdict = at_most(middle(seconds), most)
        if verdict != "met" and sum(undisturbed) * 2 < len(undisturbed):
            verdict = DISTURBED
        yield _maximum("start, s", name, seconds, most, verdict)
    yield _maximum("start, s", "CPU time", [start.cpu for start in starts], None, "")


def _maximum(
    name: str, what: str, observed: Sequence[float], most: float | None, verdict: str
) -> str:
    """Return a row without another side."""
    value = middle(observed)
    target = "-" if most is None else f"<= {most:.2f}"
    spread = observed if len(observed) > 1 else ()
    return str(Row(name, what, value, None, value, spread, target=target, verdict=verdict))


def _notes(comparison: Comparison) -> Iterator[str]:
    yield ""
    for operation in comparison.workload.operations:
        samples = comparison.samples[operation, OURS]
        cpu, busy = median(samples, "cpu"), median(samples, "server_busy")
        yield f"{operation}: {cpu:.0f} us of CPU a request; the server used {busy:.0%} of its core"
    load = max(sample.load_busy for sample in chain.from_iterable(comparison.samples.values()))
    yield (
        f"the load generator's limit: {comparison.generator_limit:.0f} requests a second; it used"
        f" at most {load:.0%} of its core"
    )
