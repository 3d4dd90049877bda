"""What happens to ours when there is more: rows, connections, workers, rows of a page."""

from collections.abc import Iterator

from bench.arena import Arena
from bench.compare import Extent, order
from bench.measure import Sample, measure
from bench.progress import say
from bench.variants import OURS, VARIANTS

TABLES = (10_000, 1_000_000, 10_000_000)
CONNECTIONS = (32, 128, 512)
PAGES = (100, 1_000)
SECONDS = 3.0

CLIENTS = next(variant for variant in VARIANTS if variant.name == OURS)


def lines(largest: int) -> Iterator[str]:
    """Yield what was measured, a line each, on tables of up to ``largest`` rows."""
    with Arena() as arena:
        arena.start(CLIENTS)
        yield from _more_rows(arena, [rows for rows in TABLES if rows <= largest])
        rows = max(rows for rows in TABLES if rows <= largest)
        for connections in CONNECTIONS:
            sample = _sample(arena, "fetch", rows, connections=connections)
            yield _line(f"fetch, {connections} connections", sample)
        for page in PAGES:
            yield _line(f"list of {page}", _sample(arena, "list", rows, page=page))
        yield from _more_workers(arena, rows)


def _more_rows(arena: Arena, tables: list[int]) -> Iterator[str]:
    before = 0
    for rows in tables:
        for count in arena.rows.fill(before + 1, rows):
            say(f"{count:,} rows")
        before = rows
        for operation in ("fetch", "list"):
            yield _line(f"{operation}, {rows:,} rows", _sample(arena, operation, rows))


def _more_workers(arena: Arena, rows: int) -> Iterator[str]:
    arena.stop(OURS)
    arena.server_cores = sorted({*arena.server_cores, arena.load_core})
    for workers in (1, 2):
        arena.start(CLIENTS, WORKERS=str(workers))
        where = f"on {len(arena.server_cores)} cores that the load shares"
        yield _line(f"fetch, {workers} worker(s) {where}", _sample(arena, "fetch", rows))
        arena.stop(OURS)


def _sample(
    arena: Arena, operation: str, rows: int, *, connections: int = 32, page: int = 100
) -> Sample:
    extent = Extent((operation,), 1, SECONDS, rows)
    wanted = order(arena, OURS, operation, extent, connections=connections, page=page)
    return measure(arena, OURS, wanted)


def _line(what: str, sample: Sample) -> str:
    tail = f"p50 {sample.p50:7.2f} ms, p99 {sample.p99:7.2f} ms"
    return f"{what:52}{sample.rate:8.0f}/s{sample.cpu:8.0f} us of CPU  {tail}"
