"""Workload of a benchmark: operations, rounds, duration and rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.drive.load_generator import LoadSpec
from benchmarks.testbed.testbed import Testbed

CONNECTIONS = 32
WARMUP_SECONDS = 0.5


@dataclass(frozen=True)
class Workload:
    """The operations, and how often and how long each is measured."""

    operations: Sequence[str]
    rounds: int
    seconds: float  # of each measurement
    rows: int = 10_000

    def spec(
        self,
        testbed: Testbed,
        server: str,
        operation: str,
        *,
        connections: int = CONNECTIONS,
        page: int = 100,
    ) -> LoadSpec:
        """Return the load of one measurement of a server."""
        return LoadSpec(
            port=testbed.servers.ports[server],
            operation=operation,
            token=testbed.token,
            rows=self.rows,
            connections=connections,
            warmup=WARMUP_SECONDS,
            seconds=self.seconds,
            page=page,
        )
