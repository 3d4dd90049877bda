"""What it costs to be seen: metrics, logs and traces, each alone and all together, in pairs.

The variants differ by their settings alone. In each round every one of them is started anew and
does the same; what is compared is what a round's variants needed in that round.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.arena import Arena
from bench.extent import Extent, order
from bench.measure import Sample, measure
from bench.pairs import ALONE
from bench.progress import BenchError, say
from bench.variants import OURS, VARIANTS
from localstack.stack import free_ports

CLIENTS = next(variant for variant in VARIANTS if variant.name == OURS)
OPERATIONS = ("fetch", "create")
HIGHEST = 0.08  # of throughput, for all together
RATIO = "0.01"  # of the requests are traced
SILENT = "nothing"
ALL = "all together"

Rounds = dict[str, list[Sample]]  # by variant


@dataclass(frozen=True)
class Cost:
    """What a variant takes more than one that tells nothing, as a part of that one's."""

    rate: float  # of requests a second, fewer
    cpu: float  # of the processor's time, more
    alone: bool  # whether the core was ours alone, so that the rate can be trusted


def lines(rounds: int, seconds: float) -> Iterator[str]:
    """Yield a line for each variant and operation, and end with the verdict."""
    with Arena() as arena:
        for _ in arena.rows.fill(1, 10_000):
            pass
        arena.start_responder()
        variants = settings(arena.ports["responder"], free_ports(1)[0])
        found = {operation: Rounds() for operation in OPERATIONS}
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            _round(arena, variants, found, Extent(OPERATIONS, rounds, seconds))
    together = []
    for operation, samples in found.items():
        costs = {n: compare(samples[SILENT], samples[n]) for n in variants if n != SILENT}
        yield from (line(operation, name, cost) for name, cost in costs.items())
        together.append(costs[ALL])
    yield judged(together)


def judged(together: Sequence[Cost]) -> str:
    """Return the last line; where others used the core, nothing is settled.

    Raises:
        BenchError: it is settled that they cost too much.

    """
    worst = max(map(verdict, together))
    told = f"all together cost {worst:.1%} at most; {HIGHEST:.0%} are allowed"
    if not all(cost.alone for cost in together):
        return f"NOT SETTLED, since others used the core; seemingly {told}"
    if worst > HIGHEST:
        raise BenchError(told)
    return f"well: {told}"


def settings(collector: int, metrics: int) -> dict[str, Mapping[str, str]]:
    """Return what each variant is told, for a collector and metrics on these ports."""
    silent = {"LOG_LEVEL": "WARNING"}
    logs = {"LOG_LEVEL": "INFO"}
    counted = {"METRICS_BIND": f"127.0.0.1:{metrics}"}
    traced = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": RATIO,
    }
    return {
        SILENT: silent,
        "metrics": {**silent, **counted},
        "logs": logs,
        "traces": {**silent, **traced},
        ALL: {**logs, **counted, **traced},
    }


def compare(silent: Sequence[Sample], seen: Sequence[Sample]) -> Cost:
    """Return what ``seen`` costs: medians over the rounds' pairs."""
    pairs = list(zip(silent, seen, strict=True))
    return Cost(
        rate=1 - statistics.median(told.rate / quiet.rate for quiet, told in pairs),
        cpu=statistics.median(told.cpu / quiet.cpu for quiet, told in pairs) - 1,
        alone=statistics.median(min(q.server_busy, t.server_busy) for q, t in pairs) >= ALONE,
    )


def verdict(cost: Cost) -> float:
    """Return the cost that counts: the rate's where the core is ours, or else the processor's."""
    return cost.rate if cost.alone else 1 - 1 / (1 + cost.cpu)


def line(operation: str, name: str, cost: Cost) -> str:
    """Return a cost as a line of the table."""
    by = "by rate" if cost.alone else "by the processor's time: others used the core"
    return (
        f"{operation:8}{name:14}{-cost.rate:+7.1%} of the rate {cost.cpu:+7.1%} of the CPU"
        f"   costs {verdict(cost):5.1%} {by}"
    )


def _round(
    arena: Arena,
    variants: Mapping[str, Mapping[str, str]],
    found: dict[str, Rounds],
    extent: Extent,
) -> None:
    turn = len(found[OPERATIONS[0]].get(SILENT, [])) % len(variants)
    names = list(variants)
    for name in names[turn:] + names[:turn]:  # nobody is always first
        arena.start(CLIENTS, variants[name])
        for operation in OPERATIONS:
            sample = measure(arena, OURS, order(arena, OURS, operation, extent))
            found[operation].setdefault(name, []).append(sample)
            arena.rows.settle(extent.rows)
        arena.stop(OURS)
