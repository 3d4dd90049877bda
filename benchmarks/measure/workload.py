"""How much is measured, and the order that the generator gets for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.drive.load_generator import Order
from benchmarks.testbed.testbed import Arena

CONNECTIONS = 32
WARMUP = 0.5  # seconds


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    operations: Sequence[str]
    rounds: int
    seconds: float  # of each measurement
    rows: int = 10_000


def order(
    arena: Arena,
    name: str,
    operation: str,
    extent: Extent,
    *,
    connections: int = CONNECTIONS,
    page: int = 100,
) -> Order:
    """Return the generator's order for a server of the arena."""
    return Order(
        port=arena.ports[name],
        operation=operation,
        token=arena.token,
        rows=extent.rows,
        connections=connections,
        warmup=WARMUP,
        seconds=extent.seconds,
        page=page,
    )
