"""The comparison with the peers: in each round, every variant performs every operation."""

from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.drive import parity_check, pgbench
from benchmarks.drive.invalid_request_cases import TokenSigner
from benchmarks.measure import cadastro_only
from benchmarks.measure.cold_start import ColdStart, measure_cold_starts
from benchmarks.measure.paired_samples import PairedSamples
from benchmarks.measure.sample import Sample, measure
from benchmarks.measure.workload import CONNECTIONS, Workload
from benchmarks.progress import report
from benchmarks.report.targets import PGBENCH
from benchmarks.testbed.testbed import NULL_SERVER, Testbed
from benchmarks.testbed.variants import OURS, VARIANTS

SamplesByVariant = dict[tuple[str, str], list[Sample]]  # by operation and variant


@dataclass
class Comparison:
    """All results of a comparison."""

    workload: Workload
    samples: SamplesByVariant = field(default_factory=lambda: defaultdict(list))
    generator_limit: float = 0.0  # requests a second against the null server
    cold_starts: list[ColdStart] = field(default_factory=list)
    tails: dict[str, list[Sample]] = field(default_factory=dict)  # at many connections
    add_product: PairedSamples | None = None  # against create
    larger_rows: int = 0
    larger: dict[str, PairedSamples] = field(default_factory=dict)  # against the small table
    two_workers: PairedSamples | None = None
    memory: cadastro_only.MemoryUsage | None = None

    def pairs(self, operation: str, variant: str) -> PairedSamples:
        """Return the samples of Cadastro and of another variant."""
        return PairedSamples(self.samples[operation, OURS], self.samples[operation, variant])


def compare(testbed: Testbed, workload: Workload, rows: int, requests: int) -> Comparison:
    """Measure all variants, then Cadastro on ``rows`` rows and after ``requests`` requests.

    Raises:
        BenchmarkError: a server failed, or sent an unexpected response.

    """
    comparison = Comparison(workload)
    _prepare(testbed, comparison)
    comparison.generator_limit = _generator_limit(testbed, workload.seconds)
    for number in range(workload.rounds):
        report(f"round {number + 1} of {workload.rounds}")
        _run_round(testbed, comparison, number)
    _measure_cadastro(testbed, comparison, rows, requests)
    return comparison


def _prepare(testbed: Testbed, comparison: Comparison) -> None:
    workload = comparison.workload
    testbed.table.fill_all(workload.rows)
    comparison.cold_starts = measure_cold_starts(testbed, workload.rounds)
    signer = TokenSigner(testbed.credentials.keys)
    for variant in VARIANTS:
        variant.command(0)  # creates its environment outside of any measurement
        testbed.start(variant)
        url = testbed.servers.url(variant.name)
        count = parity_check.check(variant.name, url, testbed.token, signer)
        report(f"{variant.title} passes {count} conformance checks")
        testbed.table.restore(workload.rows)


def _generator_limit(testbed: Testbed, seconds: float) -> float:
    """Return the request rate of the load generator against the null server."""
    testbed.start_null_server()
    spec = Workload(("fetch",), 1, seconds).spec(testbed, NULL_SERVER, "fetch")
    rate = measure(testbed, NULL_SERVER, spec).rate
    testbed.servers.stop(NULL_SERVER)
    return rate


def _run_round(testbed: Testbed, comparison: Comparison, number: int) -> None:
    workload = comparison.workload
    names = [variant.name for variant in VARIANTS]
    first = number % len(names)  # so that each variant is first in turn
    for operation in workload.operations:
        for name in names[first:] + names[:first]:
            sample = measure(testbed, name, workload.spec(testbed, name, operation))
            comparison.samples[operation, name].append(sample)
            testbed.table.restore(workload.rows)
        limit = pgbench.measure(
            testbed,
            operation,
            rows=workload.rows,
            connections=CONNECTIONS,
            seconds=workload.seconds,
        )
        comparison.samples[operation, PGBENCH].append(limit)
        testbed.table.restore(workload.rows)
        ours = comparison.samples[operation, OURS][-1]
        report(f"  {operation:7} ours {ours.rate:6.0f}/s, pgbench {limit.rate:6.0f}/s")


def _measure_cadastro(testbed: Testbed, comparison: Comparison, rows: int, requests: int) -> None:
    workload = comparison.workload
    comparison.tails = cadastro_only.tail_latencies(testbed, workload)
    served = _served_by_cadastro(comparison)
    comparison.memory = cadastro_only.memory_growth(testbed, workload, served, requests)
    comparison.add_product = cadastro_only.add_product_and_create(testbed, workload)
    comparison.two_workers = cadastro_only.two_workers(testbed, workload)
    table = cadastro_only.LargerTable(testbed)
    table.grow(rows)
    comparison.larger_rows = rows
    for operation in ("fetch", "list"):
        report(f"{operation} on {rows:,} rows")
        comparison.larger[operation] = table.compare_with_small(operation, workload)


def _served_by_cadastro(comparison: Comparison) -> int:
    ours = [samples for (_, name), samples in comparison.samples.items() if name == OURS]
    return sum(sample.served for some in (*ours, *comparison.tails.values()) for sample in some)
