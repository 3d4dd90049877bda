"""What happens to ours when there is more: rows, connections, workers, rows of a page."""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.measure.extra_measurements import CLIENTS, LARGER, LargerTable, workers
from benchmarks.measure.pairs import median
from benchmarks.measure.sample import measure
from benchmarks.measure.workload import Extent, order
from benchmarks.progress import say
from benchmarks.report import table
from benchmarks.testbed.testbed import Arena

LARGEST = 10_000_000  # rows
TABLES = (1_000_000, LARGEST)  # the larger ones; the small one has what an Extent says
CONNECTIONS = (32, 128, 512)
PAGES = (100, 1_000)
EXTENT = Extent(("fetch", "list"), 5, 3.0)
QUICK = Extent(("fetch", "list"), 3, 1.0)


def lines(largest: int, extent: Extent) -> Iterator[str]:
    """Yield what was measured, a line each, on tables of up to ``largest`` rows.

    Raises:
        BenchError: something does not run, or does not answer well.

    """
    with Arena() as arena:
        for _ in arena.rows.fill(1, extent.rows):
            pass
        arena.start(CLIENTS)
        larger = LargerTable(arena)
        yield table.HEAD
        for size in (*(size for size in TABLES if size < largest), largest):
            larger.grow(size)
            for operation in extent.operations:
                say(f"{operation} on {size:,} rows")
                pairs = larger.beside_the_small_one(operation, extent)
                yield table.more_rows(operation, size, pairs)
        yield from _more_connections(arena, replace(extent, rows=largest))
        yield from _longer_pages(arena, replace(extent, rows=largest))
        yield from table.more_workers(workers(arena, extent))


def _more_connections(arena: Arena, extent: Extent) -> Iterator[str]:
    for connections in CONNECTIONS:
        say(f"fetch at {connections} connections")
        wanted = order(arena, LARGER, "fetch", extent, connections=connections)
        samples = [measure(arena, LARGER, wanted, refusals=True) for _ in range(extent.rounds)]
        rate, cpu = median(samples), median(samples, "cpu")
        yield table.tail("fetch", connections, samples)
        yield f"  at {connections} connections: {rate:.0f}/s, {cpu:.0f} us of CPU a request"


def _longer_pages(arena: Arena, extent: Extent) -> Iterator[str]:
    for page in PAGES:
        say(f"list of {page}")
        wanted = order(arena, LARGER, "list", extent, page=page)
        samples = [measure(arena, LARGER, wanted) for _ in range(extent.rounds)]
        rate, cpu = median(samples), median(samples, "cpu")
        yield (
            f"a page of {page:,}: {rate:.0f}/s, {rate * page:.0f} rows/s, {cpu:.0f} us of CPU,"
            f" p50 {median(samples, 'p50'):.2f} ms, p99 {median(samples, 'p99'):.2f} ms"
        )
