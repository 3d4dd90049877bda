"""A comparison as a table for the terminal, with what is met and what is not."""

import statistics
from collections.abc import Iterator, Sequence

from bench import goals
from bench.compare import CONNECTIONS, MANY_CONNECTIONS, Comparison
from bench.goals import PGBENCH
from bench.variants import OURS, VARIANTS

TITLES = {variant.name: variant.title for variant in VARIANTS} | {PGBENCH: "pgbench, prepared"}
HEAD = (
    f"{'':8}{'beside':30}{'ours/s':>8}{'theirs/s':>10}{'ratio':>8}{'min-max':>12}"
    f"{'by CPU':>8}{'goal':>7}"
)


def lines(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of the table."""
    yield HEAD
    for operation in comparison.extent.operations:
        for name in TITLES:
            if name != OURS:
                yield _row(comparison, operation, name)
    yield from _ours(comparison)


def _row(comparison: Comparison, operation: str, name: str) -> str:
    ratios = comparison.ratios(operation, name)
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
    by_cpu = "-"
    if name != PGBENCH:
        by_cpu = f"{statistics.median(comparison.cpu_ratios(operation, name)):.2f}"
    rates = (comparison.median(operation, OURS), comparison.median(operation, name))
    ratio, goal = statistics.median(ratios), goals.goal(operation, name)
    figures = f"{rates[0]:8.0f}{rates[1]:10.0f}{ratio:8.2f}{spread:>12}{by_cpu:>8}"
    verdict = "      -" if goal is None else f"{goal:7.2f}  {_judged(comparison, operation, name)}"
    return f"{operation:8}{TITLES[name]:30}{figures}{verdict}"


def _judged(comparison: Comparison, operation: str, name: str) -> str:
    """Judge by the rates, or by the processor's time when others had part of the core."""
    goal = goals.goal(operation, name) or 0.0
    if comparison.undisturbed(operation, name):
        return _verdict(statistics.median(comparison.ratios(operation, name)), goal)
    if name == PGBENCH:
        return "not judged: others used the core"
    by_cpu = statistics.median(comparison.cpu_ratios(operation, name))
    return f"{_verdict(by_cpu, goal)}, by CPU: others used the core"


def _verdict(found: float, goal: float) -> str:
    return "met" if found >= goal else f"missed by {1 - found / goal:.0%}"


def _ours(comparison: Comparison) -> Iterator[str]:
    yield ""
    for operation in comparison.extent.operations:
        p50, p99, cpu, busy = (
            comparison.median(operation, OURS, what)
            for what in ("p50", "p99", "cpu", "server_busy")
        )
        tail = _at_most(p99 / p50, goals.WIDEST_TAIL)
        yield (
            f"{operation:8}at {CONNECTIONS} connections: p50 {p50:.1f} ms, p99 {p99:.1f} ms,"
            f" {p99 / p50:.1f} times ({tail}); {cpu:.0f} us of CPU a request; the server's core"
            f" was {busy:.0%} ours"
        )
    p50, p99 = (statistics.median(getattr(s, w) for s in comparison.many) for w in ("p50", "p99"))
    tail = _at_most(p99 / p50, goals.WIDEST_TAIL)
    yield f"fetch   at {MANY_CONNECTIONS} connections: p99 is {p99 / p50:.1f} times p50 ({tail})"
    if "create" in comparison.extent.operations:
        rates = zip(comparison.add, comparison.samples["create", OURS], strict=True)
        add = statistics.median(add.rate / create.rate for add, create in rates)
        verdict = _verdict(add, goals.ADD_TO_CREATE)
        yield f"add_product is {add:.2f} of create; the goal is {goals.ADD_TO_CREATE} ({verdict})"
    memory, start, ceiling = comparison.memory, comparison.start, comparison.ceiling
    yield f"memory  {memory:.0f} MiB ({_at_most(memory, goals.LARGEST_WORKER)})"
    yield f"start   {start:.2f} s ({_at_most(start, goals.LONGEST_START)})"
    yield f"the generator's own limit: {ceiling:.0f} requests a second; {_load(comparison)}"


def _load(comparison: Comparison) -> str:
    samples: Sequence[float] = [
        sample.load_busy for among in comparison.samples.values() for sample in among
    ]
    return f"it was never busier than {max(samples):.0%} of its core"


def _at_most(found: float, goal: float) -> str:
    return f"at most {goal:g}: {'met' if found <= goal else f'missed by {found / goal - 1:.0%}'}"
