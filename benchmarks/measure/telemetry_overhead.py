"""What it costs to be seen: metrics, logs and traces, each alone and all together, in pairs.

The variants differ by their settings alone. A machine's speed drifts within seconds by more than
what is looked for: so a pair runs at the same time, on one core that is the limit of both, and
what is compared is the processor's time of a request. A process, too, has some percent of
its own for as long as it lives: so all are started anew again and again, and starts are compared.
One variant is the silent one a second time: what it seems to cost is what the measurement may err.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.measure.pairs import ALONE
from benchmarks.measure.sample import Sample, measure
from benchmarks.measure.workload import CONNECTIONS, Extent, order
from benchmarks.progress import BenchError, say
from benchmarks.testbed.testbed import Arena
from benchmarks.testbed.variants import OURS, VARIANTS
from devstack.stack import free_ports

CLIENTS = next(variant for variant in VARIANTS if variant.name == OURS)
OPERATIONS = ("fetch", "create")
HIGHEST = 0.08  # of throughput, for all together
RATIO = "0.01"  # of the requests are traced
SILENT = "nothing"
TWIN = "nothing again"
PARTS = (TWIN, "metrics", "logs", "traces")
ALL = "all together"

Pair = tuple[Sample, Sample]  # of one that tells nothing, and of one that tells something
Start = list[Pair]  # of the same two processes


@dataclass(frozen=True)
class Cost:
    """What is lost of the requests a second when something is told: a part of those without."""

    throughput: float
    half: tuple[float, float]  # between which it is in the middle half of the starts
    alone: bool  # whether the core was ours alone


def lines(starts: int, seconds: float) -> Iterator[str]:
    """Yield a line for each variant and operation, and end with the verdict."""
    with Arena() as arena:
        for _ in arena.rows.fill(1, 10_000):
            pass
        arena.start_responder()
        told = settings(arena.ports["responder"], free_ports(2))
        found: dict[str, dict[str, list[Start]]] = {
            operation: {name: [] for name in (*PARTS, ALL)} for operation in OPERATIONS
        }
        for number in range(starts):
            say(f"start {number + 1} of {starts}")
            _start(arena, told, found, Extent(OPERATIONS, len(PARTS), seconds))
    together = []
    for operation, by_name in found.items():
        costs = {name: compare(pairs) for name, pairs in by_name.items()}
        yield from (line(operation, name, cost) for name, cost in costs.items())
        together.append(costs[ALL])
    yield judged(together)


def judged(together: Sequence[Cost]) -> str:
    """Return the last line; where others used the core, nothing is settled.

    Raises:
        BenchError: it is settled that they cost too much.

    """
    worst = max(cost.throughput for cost in together)
    told = f"all together cost {worst:.1%} of the throughput at most; {HIGHEST:.0%} are allowed"
    if not all(cost.alone for cost in together):
        return f"NOT SETTLED, since others used the core; seemingly {told}"
    if worst > HIGHEST:
        raise BenchError(told)
    return f"well: {told}"


def settings(collector: int, metrics: Sequence[int]) -> dict[str, Mapping[str, str]]:
    """Return what each variant is told, for a collector and two of metrics on these ports."""
    silent = {"LOG_LEVEL": "WARNING"}
    logs = {"LOG_LEVEL": "INFO"}
    counted, also_counted = ({"METRICS_BIND": f"127.0.0.1:{port}"} for port in metrics)
    traced = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": RATIO,
    }
    return {
        SILENT: silent,
        TWIN: silent,
        "metrics": {**silent, **counted},
        "logs": logs,
        "traces": {**silent, **traced},
        ALL: {**logs, **also_counted, **traced},
    }


def compare(starts: Sequence[Start]) -> Cost:
    """Return what being told of costs: the median of at least two starts, each its pairs'."""
    costs = [
        statistics.median(1 - quiet.cpu / told.cpu for quiet, told in start) for start in starts
    ]
    low, middle, high = statistics.quantiles(costs, n=4, method="inclusive")
    used = statistics.median(
        quiet.server_busy + told.server_busy for start in starts for quiet, told in start
    )
    return Cost(middle, (low, high), alone=used >= ALONE)


def line(operation: str, name: str, cost: Cost) -> str:
    """Return a cost as a line of the table."""
    low, high = cost.half
    told = f"{cost.throughput:6.1%} of the throughput; half of the starts: {low:.1%} to {high:.1%}"
    return f"{operation:8}{name:15}{told}" + ("" if cost.alone else "; others used the core")


def _start(
    arena: Arena,
    told: Mapping[str, Mapping[str, str]],
    found: Mapping[str, Mapping[str, list[Start]]],
    extent: Extent,
) -> None:
    """Start all anew; load the silent one beside the whole, and beside each part, by turns."""
    for name, more in told.items():
        arena.start(CLIENTS, more, name=name)
    for by_name in found.values():
        for pairs in by_name.values():
            pairs.append([])
    for part in PARTS:
        for operation, by_name in found.items():
            for name in (ALL, part):
                by_name[name][-1].append(_pair(arena, name, operation, extent))
                arena.rows.settle(extent.rows)
    for name in told:
        arena.stop(name)


def _pair(arena: Arena, name: str, operation: str, extent: Extent) -> Pair:
    def loaded(each: str) -> Sample:
        wanted = order(arena, each, operation, extent, connections=CONNECTIONS // 2)
        return measure(arena, each, wanted)

    with ThreadPoolExecutor(2) as pool:
        quiet, told = pool.map(loaded, (SILENT, name))
    return quiet, told
