"""Paired rounds: in each, every variant does every operation, one after the other."""

from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.drive import conformance, pgbench
from benchmarks.measure import cold_start, extra_measurements
from benchmarks.measure.cold_start import Start
from benchmarks.measure.extra_measurements import Memory
from benchmarks.measure.pairs import Pairs
from benchmarks.measure.sample import Sample, measure
from benchmarks.measure.workload import CONNECTIONS, Extent, order
from benchmarks.progress import say
from benchmarks.report.targets import PGBENCH
from benchmarks.testbed.testbed import Arena
from benchmarks.testbed.variants import OURS, VARIANTS

Samples = dict[tuple[str, str], list[Sample]]  # by operation and variant, a sample a round


@dataclass
class Comparison:
    """What was measured."""

    extent: Extent
    samples: Samples = field(default_factory=lambda: defaultdict(list))
    ceiling: float = 0.0  # requests a second of the generator against a server that does nothing
    starts: list[Start] = field(default_factory=list)
    tails: dict[str, list[Sample]] = field(default_factory=dict)  # ours, at many connections
    add: Pairs | None = None  # add_product beside create
    rows: int = 0  # of the larger table
    larger: dict[str, Pairs] = field(default_factory=dict)  # by operation, beside the small table
    workers: dict[str, Pairs] = field(default_factory=dict)  # two, by what they stand beside
    memory: Memory | None = None

    def pairs(self, operation: str, beside: str) -> Pairs:
        """Return ours and another's samples of an operation."""
        return Pairs(self.samples[operation, OURS], self.samples[operation, beside])


def compare(arena: Arena, extent: Extent, rows: int, requests: int) -> Comparison:
    """Measure everybody, and ours on ``rows`` rows and after so many requests too.

    Raises:
        BenchError: something does not run, or does not answer well.

    """
    comparison = Comparison(extent)
    _prepare(arena, comparison)
    comparison.ceiling = ceiling(arena, extent.seconds)
    for number in range(extent.rounds):
        say(f"round {number + 1} of {extent.rounds}")
        _round(arena, comparison, number)
    _ours_alone(arena, comparison, rows, requests)
    return comparison


def _prepare(arena: Arena, comparison: Comparison) -> None:
    for count in arena.rows.fill(1, comparison.extent.rows):
        say(f"{count:,} rows")
    comparison.starts = cold_start.starts(arena, comparison.extent.rounds)
    signer = conformance.Signer(arena.keys)
    for variant in VARIANTS:
        variant.command(0)  # an environment is made before the clock runs
        arena.start(variant)
        base = f"http://127.0.0.1:{arena.ports[variant.name]}"
        points = conformance.check(variant.name, base, arena.token, signer)
        say(f"{variant.title} answers as it must in {points} points")
        arena.rows.settle(comparison.extent.rows)


def _round(arena: Arena, comparison: Comparison, number: int) -> None:
    extent = comparison.extent
    names = [variant.name for variant in VARIANTS]
    turn = number % len(names)
    for operation in extent.operations:
        for name in names[turn:] + names[:turn]:  # nobody is always first
            sample = measure(arena, name, order(arena, name, operation, extent))
            comparison.samples[operation, name].append(sample)
            arena.rows.settle(extent.rows)
        limit = pgbench.limit(
            arena, operation, rows=extent.rows, connections=CONNECTIONS, seconds=extent.seconds
        )
        comparison.samples[operation, PGBENCH].append(limit)
        arena.rows.settle(extent.rows)
        mine = comparison.samples[operation, OURS][-1]
        say(f"  {operation:7} ours {mine.rate:6.0f}/s, pgbench {limit.rate:6.0f}/s")


def _ours_alone(arena: Arena, comparison: Comparison, rows: int, requests: int) -> None:
    extent = comparison.extent
    comparison.tails = extra_measurements.tails(arena, extent)
    samples = [s for (_, name), some in comparison.samples.items() if name == OURS for s in some]
    samples += [sample for some in comparison.tails.values() for sample in some]
    comparison.memory = extra_measurements.wear(
        arena, extent, sum(s.served for s in samples), requests
    )
    comparison.add = extra_measurements.additions(arena, extent)
    comparison.workers = extra_measurements.workers(arena, extent)
    table = extra_measurements.LargerTable(arena)
    table.grow(rows)
    comparison.rows = rows
    for operation in ("fetch", "list"):
        say(f"{operation} on {rows:,} rows")
        comparison.larger[operation] = table.beside_the_small_one(operation, extent)


def ceiling(arena: Arena, seconds: float) -> float:
    """Return how many requests a second the generator can make of a server that does nothing."""
    arena.start_responder()
    extent = Extent(("fetch",), 1, seconds)
    rate = measure(arena, "responder", order(arena, "responder", "fetch", extent)).rate
    arena.stop("responder")
    return rate
