"""One measurement: a server under load for some seconds, with its CPU time."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from benchmarks.drive.load_generator import REFUSED, LoadResult, LoadSpec
from benchmarks.measure.process_usage import cpu_seconds
from benchmarks.progress import BenchmarkError
from benchmarks.testbed.testbed import Testbed

SUCCESS = {"fetch": "200", "list": "200", "create": "201", "update": "200", "add": "201"}


@dataclass(frozen=True)
class Sample:
    """Results of one measurement."""

    rate: float  # requests a second
    cpu: float  # microseconds of the servers' processes for each request
    p50: float  # milliseconds, as the next
    p99: float
    server_busy: float  # CPU time of the server as a fraction of its cores
    load_busy: float  # CPU time of the load generator as a fraction of its core
    database: float = 0.0  # microseconds of PostgreSQL's processes for each request
    refused: float = 0.0  # fraction of the requests
    served: int = 0  # successful requests, the warm-up's included

    def with_database(self) -> "Sample":
        """Return the sample with PostgreSQL's CPU time added to the server's."""
        return replace(self, cpu=self.cpu + self.database, database=0.0)


def measure(
    testbed: Testbed,
    server: str,
    spec: LoadSpec,
    *,
    dependencies: Sequence[str] = (),
    allow_refusals: bool = False,
) -> Sample:
    """Measure a server; its CPU time includes that of its ``dependencies`` on the same cores.

    Raises:
        BenchmarkError: a response has an unexpected status, or there was none.

    """
    processes = [testbed.servers.process(name) for name in (server, *dependencies)]
    database = testbed.postgres_process
    before = sum(map(cpu_seconds, processes)), cpu_seconds(database)
    result = run_load(spec, testbed.load_core)
    used = sum(map(cpu_seconds, processes)) - before[0]
    database_used = cpu_seconds(database) - before[1]
    _check(server, spec, result, {REFUSED} if allow_refusals else set())
    return Sample(
        rate=result.requests / result.seconds,
        cpu=used / result.served * 1e6,
        p50=result.p50,
        p99=result.p99,
        server_busy=used / (spec.warmup + result.seconds) / len(testbed.servers.cores[server]),
        load_busy=result.busy,
        database=database_used / result.served * 1e6,
        refused=result.statuses.get(REFUSED, 0) / sum(result.statuses.values()),
        served=result.served,
    )


def run_load(spec: LoadSpec, core: int) -> LoadResult:
    """Run the load generator on a core.

    Raises:
        BenchmarkError: it failed.

    """
    generator = [sys.executable, "-m", "benchmarks.drive.load_generator"]
    command = ["taskset", "-c", str(core), *generator]
    done = subprocess.run(
        command,
        input=json.dumps(asdict(spec)),
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    if done.returncode:
        raise BenchmarkError(f"the load generator failed: {done.stderr[-800:]}")
    return LoadResult(**json.loads(done.stdout))


def _check(server: str, spec: LoadSpec, result: LoadResult, allowed: set[str]) -> None:
    if not result.requests:
        raise BenchmarkError(
            f"{server} completed no {spec.operation} within {spec.seconds:g} s: the machine is too "
            "busy; try again later"
        )
    if set(result.statuses) - allowed != {SUCCESS[spec.operation]}:
        raise BenchmarkError(f"{server} responded to {spec.operation} with {result.statuses}")
    if result.lost:
        raise BenchmarkError(f"{server} closed {result.lost} connections during {spec.operation}")
