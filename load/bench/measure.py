"""One measurement: a server under load for some seconds, with what it cost the processor."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

import psutil

from bench.arena import Arena
from bench.environments import HERE
from bench.generator import Order, Seen
from bench.progress import BenchError

GOOD = {"fetch": "200", "list": "200", "create": "201", "update": "200", "add": "201"}


@dataclass(frozen=True)
class Sample:
    """What one measurement showed."""

    rate: float  # requests a second
    cpu: float  # microseconds of the server's processes for each request
    p50: float  # milliseconds, as the next
    p99: float
    server_busy: float  # the part of its cores that the server used
    load_busy: float  # the part of its core that the generator used


def measure(arena: Arena, name: str, order: Order) -> Sample:
    """Load the server of that name; raises ``BenchError`` when an answer is not a good one."""
    root = arena.children[name].process
    assert root is not None  # noqa: S101 - it was started
    server = psutil.Process(root.pid)
    before = cpu_seconds(server)
    seen = follow(order, arena.load_core)
    used = cpu_seconds(server) - before
    if not seen.requests:
        message = f"{name} answered no {order.operation} in {order.seconds:g} s: too much else runs"
        raise BenchError(f"{message} on this machine; try again when it is quiet")
    if set(seen.statuses) != {GOOD[order.operation]} or seen.lost:
        message = f"{name} answered {order.operation} with {seen.statuses}, {seen.lost} were lost"
        raise BenchError(message)
    return Sample(
        rate=seen.requests / seen.seconds,
        cpu=used / seen.served * 1e6,
        p50=seen.p50,
        p99=seen.p99,
        server_busy=used / (order.warmup + seen.seconds) / len(arena.server_cores),
        load_busy=seen.busy,
    )


def follow(order: Order, core: int) -> Seen:
    """Have a generator on ``core`` follow an order; raises ``BenchError``."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "bench.generator"]
    done = subprocess.run(
        command,
        input=json.dumps(asdict(order)),
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(HERE.parent), "PATH": "/usr/bin:/bin"},
    )
    if done.returncode:
        message = f"the generator failed: {done.stderr[-800:]}"
        raise BenchError(message)
    return Seen(**json.loads(done.stdout))


def cpu_seconds(process: psutil.Process) -> float:
    """Return what a process and all below it have used of the processor."""
    family = [process, *process.children(recursive=True)]
    return sum(sum(member.cpu_times()[:2]) for member in family)


def memory(process: psutil.Process) -> float:
    """Return the proportional set size of a process and all below it, in MiB."""
    family = [process, *process.children(recursive=True)]
    return float(sum(member.memory_full_info().pss for member in family)) / 2**20
