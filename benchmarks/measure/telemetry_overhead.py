"""Overhead of metrics, logs and traces, each alone and all together.

The variants differ only in their settings. A machine's speed drifts within seconds by more than
the overhead. So each variant runs at the same time as a server without telemetry, on one core that
limits both, and CPU times a request are compared. Each process has a constant bias of some
percent. So all servers are restarted repeatedly, and the medians of the starts are compared. A
second server without telemetry shows the error of the measurement.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.measure.paired_samples import MIN_CORE_SHARE
from benchmarks.measure.sample import Sample, measure
from benchmarks.measure.workload import CONNECTIONS, Workload
from benchmarks.progress import BenchmarkError, report
from benchmarks.testbed.testbed import NULL_SERVER, Testbed
from benchmarks.testbed.variants import CADASTRO
from devstack.stack import free_ports

OPERATIONS = ("fetch", "create")
ROWS = 10_000
MAX_OVERHEAD = 0.08  # of throughput, for all together
SAMPLING_RATIO = "0.01"  # of traces
OFF = "none"
CONTROL = "none again"
PARTS = (CONTROL, "metrics", "logs", "traces")
ALL = "all together"

Pair = tuple[Sample, Sample]  # of a server without telemetry, and of one with it
Start = list[Pair]  # of the same two processes
Results = Mapping[str, Mapping[str, list[Start]]]  # by operation and variant


@dataclass(frozen=True)
class Overhead:
    """Fraction of the throughput without telemetry that is lost."""

    throughput: float
    quartiles: tuple[float, float]  # of the starts
    is_undisturbed: bool  # the two servers had the core to themselves


def lines(starts: int, seconds: float) -> Iterator[str]:
    """Yield a line for each variant and operation, and end with the verdict.

    Raises:
        BenchmarkError: the overhead of all together is too large.

    """
    found: Results = {operation: {name: [] for name in (*PARTS, ALL)} for operation in OPERATIONS}
    with Testbed() as testbed:
        testbed.table.fill_all(ROWS)
        testbed.start_null_server()  # in place of a trace collector
        variants = settings(testbed.servers.ports[NULL_SERVER], free_ports(2))
        for number in range(starts):
            report(f"start {number + 1} of {starts}")
            _measure_start(testbed, variants, found, Workload(OPERATIONS, len(PARTS), seconds))
    together = []
    for operation, by_name in found.items():
        overheads = {name: overhead(pairs) for name, pairs in by_name.items()}
        yield from (line(operation, name, each) for name, each in overheads.items())
        together.append(overheads[ALL])
    yield verdict(together)


def verdict(together: Sequence[Overhead]) -> str:
    """Return the last line; there is no verdict where other processes used the core.

    Raises:
        BenchmarkError: the overhead is too large.

    """
    worst = max(each.throughput for each in together)
    text = f"all together cost {worst:.1%} of the throughput at most; {MAX_OVERHEAD:.0%} is allowed"
    if not all(each.is_undisturbed for each in together):
        return f"NO VERDICT, since other processes used the core; apparently {text}"
    if worst > MAX_OVERHEAD:
        raise BenchmarkError(text)
    return f"met: {text}"


def settings(collector: int, metrics: Sequence[int]) -> dict[str, Mapping[str, str]]:
    """Return the settings of each variant, given the ports of a collector and of two exporters."""
    off = {"LOG_LEVEL": "WARNING"}
    logs = {"LOG_LEVEL": "INFO"}
    exported, also_exported = ({"METRICS_BIND": f"127.0.0.1:{port}"} for port in metrics)
    traced = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": SAMPLING_RATIO,
    }
    return {
        OFF: off,
        CONTROL: off,
        "metrics": {**off, **exported},
        "logs": logs,
        "traces": {**off, **traced},
        ALL: {**logs, **also_exported, **traced},
    }


def overhead(starts: Sequence[Start]) -> Overhead:
    """Return the median over at least two starts, each the median of its pairs."""
    losses = [statistics.median(1 - off.cpu / on.cpu for off, on in start) for start in starts]
    low, middle, high = statistics.quantiles(losses, n=4, method="inclusive")
    busy = statistics.median(
        off.server_busy + on.server_busy for start in starts for off, on in start
    )
    return Overhead(middle, (low, high), is_undisturbed=busy >= MIN_CORE_SHARE)


def line(operation: str, name: str, found: Overhead) -> str:
    """Return an overhead as a line of the table."""
    low, high = found.quartiles
    text = f"{found.throughput:6.1%} of the throughput; quartiles of the starts: {low:.1%} to"
    note = "" if found.is_undisturbed else "; other processes used the core"
    return f"{operation:8}{name:15}{text} {high:.1%}{note}"


def _measure_start(
    testbed: Testbed, variants: Mapping[str, Mapping[str, str]], found: Results, workload: Workload
) -> None:
    """Start all variants; measure all together and each part against the server without any."""
    for name, more in variants.items():
        testbed.start(CADASTRO, more, name=name)
    for by_name in found.values():
        for starts in by_name.values():
            starts.append([])
    for part in PARTS:
        for operation, by_name in found.items():
            for name in (ALL, part):
                by_name[name][-1].append(_measure_pair(testbed, name, operation, workload))
                testbed.table.restore(workload.rows)
    for name in variants:
        testbed.servers.stop(name)


def _measure_pair(testbed: Testbed, name: str, operation: str, workload: Workload) -> Pair:
    def measured(server: str) -> Sample:
        spec = workload.spec(testbed, server, operation, connections=CONNECTIONS // 2)
        return measure(testbed, server, spec)

    with ThreadPoolExecutor(2) as pool:
        off, on = pool.map(measured, (OFF, name))
    return off, on
