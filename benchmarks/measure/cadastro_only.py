"""Measurements of Cadastro alone: tails, add_product, a larger table, more workers, memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from benchmarks.measure.paired_samples import PairedSamples
from benchmarks.measure.process_usage import memory_mb
from benchmarks.measure.sample import Sample, measure
from benchmarks.measure.workload import Workload
from benchmarks.progress import report
from benchmarks.testbed.testbed import Testbed
from benchmarks.testbed.variants import CADASTRO, OURS

T = TypeVar("T")
MANY_CONNECTIONS = 128
LARGER = "clients_larger"  # the database with more rows, and its server
ONE, TWO = "one worker", "two workers"
PROGRESS_ROWS = 1_000_000  # between two progress messages
MEMORY_SAMPLE_SECONDS = 10.0


def rotate(items: Mapping[str, T], rounds: int) -> Iterator[tuple[str, T]]:
    """Yield all items in each round, beginning with another one each time."""
    pairs = list(items.items())
    for number in range(rounds):
        first = number % len(pairs)
        yield from pairs[first:] + pairs[:first]


@dataclass(frozen=True)
class MemoryUsage:
    """Proportional set size in MB, after a number of requests."""

    worker: float
    total: float  # with gunicorn's master
    requests: int


def tail_latencies(testbed: Testbed, workload: Workload) -> dict[str, list[Sample]]:
    """Measure each operation at many connections."""
    found: dict[str, list[Sample]] = {name: [] for name in workload.operations}
    for operation, samples in found.items():
        report(f"{operation} at {MANY_CONNECTIONS} connections")
        spec = workload.spec(testbed, OURS, operation, connections=MANY_CONNECTIONS)
        for _ in range(workload.rounds):
            samples.append(measure(testbed, OURS, spec, allow_refusals=True))
            testbed.table.restore(workload.rows)
    return found


def add_product_and_create(testbed: Testbed, workload: Workload) -> PairedSamples:
    """Measure add_product, which calls two other services, against create."""
    report("add_product and create")
    for name in ("products", "inventory"):
        testbed.start_service(name)
    add = workload.spec(testbed, "inventory", "add", page=testbed.create_product())
    create = workload.spec(testbed, OURS, "create")
    added: list[Sample] = []
    created: list[Sample] = []
    for _ in range(workload.rounds):
        added.append(measure(testbed, "inventory", add, dependencies=(OURS, "products")))
        created.append(measure(testbed, OURS, create))
        testbed.table.restore(workload.rows)
    return PairedSamples(added, created)


class LargerTable:
    """A second server of the clients service, on a table that grows."""

    def __init__(self, testbed: Testbed) -> None:
        """Create an empty table, and start the server."""
        self._testbed, self.size = testbed, 0
        self._table = testbed.create_clients_table(LARGER)
        testbed.start(CADASTRO, {"DATABASE_URL": testbed.database_url(LARGER)}, name=LARGER)

    def grow(self, size: int) -> None:
        """Fill the table up to ``size`` rows."""
        reported = self.size
        for count in self._table.fill(self.size + 1, size):
            if count - reported >= PROGRESS_ROWS or count == size:
                report(f"{count:,} of {size:,} rows")
                reported = count
        self.size = size

    def compare_with_small(self, operation: str, workload: Workload) -> PairedSamples:
        """Measure an operation on both tables, including PostgreSQL's CPU time."""
        small = workload.spec(self._testbed, OURS, operation)
        large = replace(workload, rows=self.size).spec(self._testbed, LARGER, operation)
        found: dict[str, list[Sample]] = {LARGER: [], OURS: []}
        for name, spec in rotate({LARGER: large, OURS: small}, workload.rounds):
            found[name].append(measure(self._testbed, name, spec).with_database())
        return PairedSamples(found[LARGER], found[OURS])


def two_workers(testbed: Testbed, workload: Workload) -> PairedSamples:
    """Measure two workers, which have two cores, against one worker.

    On a machine without a third core, PostgreSQL and the load share the second.
    """
    testbed.start(CADASTRO, name=ONE)
    testbed.start(CADASTRO, {"WORKERS": "2"}, name=TWO, cores=testbed.two_cores)
    found: dict[str, list[Sample]] = {ONE: [], TWO: []}
    for name, samples in rotate(found, workload.rounds):
        samples.append(measure(testbed, name, workload.spec(testbed, name, "fetch")))
    for name in found:
        testbed.servers.stop(name)
    return PairedSamples(found[TWO], found[ONE], core_ratio=2)


def memory_growth(testbed: Testbed, workload: Workload, served: int, requests: int) -> MemoryUsage:
    """Send fetches until the service has served ``requests``, then measure its memory."""
    spec = replace(workload, seconds=MEMORY_SAMPLE_SECONDS).spec(testbed, OURS, "fetch")
    while served < requests:
        report(f"{served:,} of {requests:,} requests before memory is measured")
        served += measure(testbed, OURS, spec).served
    server = testbed.servers.process(OURS)
    worker = max(memory_mb(child) for child in server.children())
    return MemoryUsage(worker, memory_mb(server), served)
