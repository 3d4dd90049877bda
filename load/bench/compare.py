"""Paired rounds: in each, every variant does every operation, one after the other."""

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

from bench import generator, pgbench, sameness
from bench.arena import Arena
from bench.goals import PGBENCH
from bench.measure import Sample, measure, memory
from bench.progress import say
from bench.variants import OURS, VARIANTS

CONNECTIONS = 32
MANY_CONNECTIONS = 128
WARMUP = 0.5  # seconds
ALONE = 0.85  # the part of its core that a server under full load uses when nobody else does

Samples = dict[tuple[str, str], list[Sample]]  # by operation and variant, a sample a round


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    operations: Sequence[str]
    rounds: int
    seconds: float  # of each measurement
    rows: int = 10_000


@dataclass
class Comparison:
    """What was measured."""

    extent: Extent
    samples: Samples = field(default_factory=lambda: defaultdict(list))
    many: list[Sample] = field(default_factory=list)  # ours, a fetch at more connections
    add: list[Sample] = field(default_factory=list)  # ours, add_product
    ceiling: float = 0.0  # requests a second of the generator against a server that does nothing
    start: float = 0.0  # seconds until our worker answered
    memory: float = 0.0  # MiB of our worker at the end

    def ratios(self, operation: str, beside: str) -> list[float]:
        """Return ours over another's rate, round by round."""
        pairs = zip(self.samples[operation, OURS], self.samples[operation, beside], strict=True)
        return [ours.rate / theirs.rate for ours, theirs in pairs]

    def cpu_ratios(self, operation: str, beside: str) -> list[float]:
        """Return another's processor time a request over ours, round by round."""
        pairs = zip(self.samples[operation, OURS], self.samples[operation, beside], strict=True)
        return [theirs.cpu / ours.cpu for ours, theirs in pairs]

    def undisturbed(self, operation: str, beside: str) -> bool:
        """Tell whether the server's core was ours alone, or nearly so, in most rounds."""
        servers = [name for name in (OURS, beside) if name != PGBENCH]
        return all(self.median(operation, name, "server_busy") >= ALONE for name in servers)

    def median(self, operation: str, variant: str, what: str = "rate") -> float:
        """Return the median of one of a sample's figures over the rounds."""
        samples = self.samples[operation, variant]
        return statistics.median(float(getattr(sample, what)) for sample in samples)


def compare(arena: Arena, extent: Extent) -> Comparison:
    """Measure everybody; raises ``BenchError``."""
    comparison = Comparison(extent)
    _prepare(arena, comparison)
    comparison.ceiling = ceiling(arena, extent.seconds)
    for number in range(extent.rounds):
        say(f"round {number + 1} of {extent.rounds}")
        _round(arena, comparison, number)
    _ours_alone(arena, comparison)
    return comparison


def _prepare(arena: Arena, comparison: Comparison) -> None:
    for count in arena.rows.fill(1, comparison.extent.rows):
        say(f"{count} rows")
    signer = sameness.Signer(arena.keys)
    for variant in VARIANTS:
        variant.command(0)  # an environment is made before the clock runs
        started = time.monotonic()
        arena.start(variant)
        if variant.name == OURS:
            comparison.start = time.monotonic() - started
        base = f"http://127.0.0.1:{arena.ports[variant.name]}"
        points = sameness.check(variant.name, base, arena.token, signer)
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
        ours = comparison.samples[operation, OURS][-1]
        say(f"  {operation:7} ours {ours.rate:6.0f}/s, pgbench {limit.rate:6.0f}/s")


def _ours_alone(arena: Arena, comparison: Comparison) -> None:
    extent = comparison.extent
    say("many connections, and add_product")
    for name in ("products", "inventory"):
        arena.start_service(name)
    product = arena.make_product()
    for _ in range(extent.rounds):
        many = order(arena, OURS, "fetch", extent, connections=MANY_CONNECTIONS)
        comparison.many.append(measure(arena, OURS, many))
        add = order(arena, "inventory", "add", extent, page=product)
        comparison.add.append(measure(arena, "inventory", add))
    worker = arena.children[OURS].process
    assert worker is not None  # noqa: S101 - it runs
    comparison.memory = max(memory(p) for p in psutil.Process(worker.pid).children())


def order(
    arena: Arena,
    name: str,
    operation: str,
    extent: Extent,
    *,
    connections: int = CONNECTIONS,
    page: int = 100,
) -> generator.Order:
    """Return the generator's order for a server of the arena."""
    return generator.Order(
        port=arena.ports[name],
        operation=operation,
        token=arena.token,
        rows=extent.rows,
        connections=connections,
        warmup=WARMUP,
        seconds=extent.seconds,
        page=page,
    )


def ceiling(arena: Arena, seconds: float) -> float:
    """Return how many requests a second the generator can make of a server that does nothing."""
    arena.start_responder()
    extent = Extent(("fetch",), 1, seconds)
    rate = measure(arena, "responder", order(arena, "responder", "fetch", extent)).rate
    arena.stop("responder")
    return rate
