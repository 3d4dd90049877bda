"""What is measured of ours alone: tails, add_product, more rows, more workers, memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from benchmarks.measure.pairs import Pairs
from benchmarks.measure.sample import Sample, measure, memory
from benchmarks.measure.workload import Extent, order
from benchmarks.progress import say
from benchmarks.testbed.testbed import Arena
from benchmarks.testbed.variants import OURS, VARIANTS

T = TypeVar("T")
CLIENTS = next(variant for variant in VARIANTS if variant.name == OURS)
MANY_CONNECTIONS = 128
LARGER = "clients_larger"  # the database that has more rows, and the server on it
ONE, TWO, ROAMING = "one worker", "two workers", "two workers that roam"
STEP = 1_000_000  # rows between two words of progress
LONG = 10.0  # seconds of a measurement that only wants many requests


def in_turns(each: Mapping[str, T], rounds: int) -> Iterator[tuple[str, T]]:
    """Yield all of a mapping in each round, from one more behind: nobody is always first."""
    items = list(each.items())
    for number in range(rounds):
        turn = number % len(items)
        yield from items[turn:] + items[:turn]


@dataclass(frozen=True)
class Memory:
    """Megabytes of proportional set size, after so many requests."""

    worker: float
    whole: float  # gunicorn's master included
    requests: int


def tails(arena: Arena, extent: Extent) -> dict[str, list[Sample]]:
    """Measure each operation at many connections."""
    found: dict[str, list[Sample]] = {name: [] for name in extent.operations}
    for operation, samples in found.items():
        say(f"{operation} at {MANY_CONNECTIONS} connections")
        wanted = order(arena, OURS, operation, extent, connections=MANY_CONNECTIONS)
        for _ in range(extent.rounds):
            samples.append(measure(arena, OURS, wanted, refusals=True))
            arena.rows.settle(extent.rows)
    return found


def additions(arena: Arena, extent: Extent) -> Pairs:
    """Measure add_product, which asks two other services, beside create."""
    say("add_product beside create")
    for name in ("products", "inventory"):
        arena.start_service(name)
    add = order(arena, "inventory", "add", extent, page=arena.make_product())
    create = order(arena, OURS, "create", extent)
    ours: list[Sample] = []
    theirs: list[Sample] = []
    for _ in range(extent.rounds):
        ours.append(measure(arena, "inventory", add, asked=(OURS, "products")))
        theirs.append(measure(arena, OURS, create))
        arena.rows.settle(extent.rows)
    return Pairs(ours, theirs)


class LargerTable:
    """A second server of ours on a table that grows, beside the one that all share."""

    def __init__(self, arena: Arena) -> None:
        """Make the table, with nobody in it, and start the server."""
        self._arena, self.size = arena, 0
        self._rows = arena.add_clients(LARGER)
        arena.start(CLIENTS, {"DATABASE_URL": arena.database_url(LARGER)}, name=LARGER)

    def grow(self, size: int) -> None:
        """Fill the table up to ``size`` rows."""
        said = self.size
        for count in self._rows.fill(self.size + 1, size):
            if count - said >= STEP or count == size:
                say(f"{count:,} of {size:,} rows")
                said = count
        self.size = size

    def beside_the_small_one(self, operation: str, extent: Extent) -> Pairs:
        """Measure the same on both tables, with PostgreSQL's processor time in it."""
        small = order(self._arena, OURS, operation, extent)
        large = order(self._arena, LARGER, operation, replace(extent, rows=self.size))
        orders = {LARGER: large, OURS: small}
        found: dict[str, list[Sample]] = {LARGER: [], OURS: []}
        for name, wanted in in_turns(orders, extent.rounds):
            found[name].append(measure(self._arena, name, wanted).with_database())
        return Pairs(found[LARGER], found[OURS])


def workers(arena: Arena, extent: Extent) -> dict[str, Pairs]:
    """Measure two workers beside one, and those that are pinned beside those that roam.

    The two have two cores; where there is no third one, PostgreSQL and the load share the second.
    """
    arena.start(CLIENTS, name=ONE)
    two = {"WORKERS": "2"}
    arena.start(CLIENTS, two, name=TWO, cores=arena.two_cores)
    arena.start(CLIENTS, {**two, "PIN_WORKERS": "never"}, name=ROAMING, cores=arena.two_cores)
    found: dict[str, list[Sample]] = {ONE: [], TWO: [], ROAMING: []}
    for name, samples in in_turns(found, extent.rounds):
        samples.append(measure(arena, name, order(arena, name, "fetch", extent)))
    for name in found:
        arena.stop(name)
    return {
        ONE: Pairs(found[TWO], found[ONE], cores=2),
        ROAMING: Pairs(found[TWO], found[ROAMING]),
    }


def wear(arena: Arena, extent: Extent, served: int, wanted: int) -> Memory:
    """Send fetches until ours has served as many requests as ``wanted``; look at its memory."""
    longer = order(arena, OURS, "fetch", replace(extent, seconds=LONG))
    while served < wanted:
        say(f"{served:,} of {wanted:,} requests before memory is looked at")
        served += measure(arena, OURS, longer).served
    server = arena.process(OURS)
    worker = max(memory(child) for child in server.children())
    return Memory(worker, memory(server), served)
