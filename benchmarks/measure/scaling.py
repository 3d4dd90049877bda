"""Throughput of the clients service with more rows, connections, workers, and rows of a page."""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.measure.cadastro_only import LARGER, LargerTable, two_workers
from benchmarks.measure.paired_samples import median
from benchmarks.measure.sample import measure
from benchmarks.measure.workload import Workload
from benchmarks.progress import report
from benchmarks.report import table
from benchmarks.testbed.testbed import Testbed
from benchmarks.testbed.variants import CADASTRO

MAX_ROWS = 10_000_000
TABLE_SIZES = (1_000_000, MAX_ROWS)  # beside the small table of the workload
CONNECTIONS = (32, 128, 512)
PAGE_SIZES = (100, 1_000)
WORKLOAD = Workload(("fetch", "list"), 5, 3.0)
QUICK = Workload(("fetch", "list"), 3, 1.0)


def lines(max_rows: int, workload: Workload) -> Iterator[str]:
    """Yield the results, a line each, for tables of up to ``max_rows`` rows.

    Raises:
        BenchmarkError: a server failed, or sent an unexpected response.

    """
    with Testbed() as testbed:
        testbed.table.fill_all(workload.rows)
        testbed.start(CADASTRO)
        larger = LargerTable(testbed)
        yield table.HEAD
        for size in (*(size for size in TABLE_SIZES if size < max_rows), max_rows):
            larger.grow(size)
            for operation in workload.operations:
                report(f"{operation} on {size:,} rows")
                pairs = larger.compare_with_small(operation, workload)
                yield table.more_rows(operation, size, pairs)
        yield from _more_connections(testbed, replace(workload, rows=max_rows))
        yield from _larger_pages(testbed, replace(workload, rows=max_rows))
        yield table.two_workers(two_workers(testbed, workload))


def _more_connections(testbed: Testbed, workload: Workload) -> Iterator[str]:
    for connections in CONNECTIONS:
        report(f"fetch at {connections} connections")
        spec = workload.spec(testbed, LARGER, "fetch", connections=connections)
        samples = [
            measure(testbed, LARGER, spec, allow_refusals=True) for _ in range(workload.rounds)
        ]
        rate, cpu = median(samples), median(samples, "cpu")
        yield table.tail("fetch", connections, samples)
        yield f"  at {connections} connections: {rate:.0f}/s, {cpu:.0f} us of CPU a request"


def _larger_pages(testbed: Testbed, workload: Workload) -> Iterator[str]:
    for page in PAGE_SIZES:
        report(f"list of {page}")
        spec = workload.spec(testbed, LARGER, "list", page=page)
        samples = [measure(testbed, LARGER, spec) for _ in range(workload.rounds)]
        rate, cpu = median(samples), median(samples, "cpu")
        yield (
            f"a page of {page:,}: {rate:.0f}/s, {rate * page:.0f} rows/s, {cpu:.0f} us of CPU,"
            f" p50 {median(samples, 'p50'):.2f} ms, p99 {median(samples, 'p99'):.2f} ms"
        )
