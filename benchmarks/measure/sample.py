"""One measurement: a server under load for some seconds, with what it cost the processor."""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

import psutil

from benchmarks.drive.load_generator import REFUSED, Order, Seen
from benchmarks.paths import ROOT
from benchmarks.progress import BenchError
from benchmarks.testbed.testbed import Arena

GOOD = {"fetch": "200", "list": "200", "create": "201", "update": "200", "add": "201"}


@dataclass(frozen=True)
class Sample:
    """What one measurement showed."""

    rate: float  # requests a second
    cpu: float  # microseconds of the servers' processes for each request
    p50: float  # milliseconds, as the next
    p99: float
    server_busy: float  # the part of its cores that the server used
    load_busy: float  # the part of its core that the generator used
    database: float = 0.0  # microseconds of PostgreSQL's processes for each request
    refused: float = 0.0  # the part of the requests that were turned away
    served: int = 0  # requests that were answered well, the warm-up's included

    def with_database(self) -> "Sample":
        """Return the same with PostgreSQL's processor time added to the server's."""
        return replace(self, cpu=self.cpu + self.database, database=0.0)


def measure(
    arena: Arena, name: str, order: Order, *, asked: Sequence[str] = (), refusals: bool = False
) -> Sample:
    """Load the server of that name; with ``refusals`` it may turn requests away.

    The processor's time is that of the server and of those on the same cores that it has ``asked``.

    Raises:
        BenchError: an answer was not a good one, or there was none.

    """
    servers, database = [arena.process(each) for each in (name, *asked)], arena.postgres_process
    before = sum(map(cpu_seconds, servers)), cpu_seconds(database)
    seen = follow(order, arena.load_core)
    used, stored = sum(map(cpu_seconds, servers)) - before[0], cpu_seconds(database) - before[1]
    if not seen.requests:
        message = f"{name} answered no {order.operation} in {order.seconds:g} s: too much else runs"
        raise BenchError(f"{message} on this machine; try again when it is quiet")
    if set(seen.statuses) - ({REFUSED} if refusals else set()) != {GOOD[order.operation]}:
        message = f"{name} answered {order.operation} with {seen.statuses}"
        raise BenchError(message)
    if seen.lost:
        message = f"{name} lost {seen.lost} connections in the middle of {order.operation}"
        raise BenchError(message)
    return Sample(
        rate=seen.requests / seen.seconds,
        cpu=used / seen.served * 1e6,
        p50=seen.p50,
        p99=seen.p99,
        server_busy=used / (order.warmup + seen.seconds) / len(arena.cores[name]),
        load_busy=seen.busy,
        database=stored / seen.served * 1e6,
        refused=seen.statuses.get(REFUSED, 0) / sum(seen.statuses.values()),
        served=seen.served,
    )


def follow(order: Order, core: int) -> Seen:
    """Have a generator on ``core`` follow an order; raises ``BenchError``."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "benchmarks.drive.load_generator"]
    done = subprocess.run(
        command,
        input=json.dumps(asdict(order)),
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    if done.returncode:
        message = f"the generator failed: {done.stderr[-800:]}"
        raise BenchError(message)
    return Seen(**json.loads(done.stdout))


def cpu_seconds(process: psutil.Process) -> float:
    """Return what a process and all below it have used of the processor."""
    seconds = 0.0
    for member in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            seconds += sum(member.cpu_times()[:2])
    return seconds


def memory(process: psutil.Process) -> float:
    """Return the proportional set size of a process and all below it, in MB."""
    family = [process, *process.children(recursive=True)]
    return float(sum(member.memory_full_info().pss for member in family)) / 1e6
