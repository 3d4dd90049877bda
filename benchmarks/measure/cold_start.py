"""How long it takes until a server that was not there answers."""

import http.client
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.measure.sample import cpu_seconds
from benchmarks.progress import BenchError, say
from benchmarks.testbed.testbed import PATH, Arena
from benchmarks.testbed.variants import OURS, VARIANTS

NAME = "a cold start"
LOOK = 0.002  # seconds between two requests
PATIENCE = 120.0  # seconds
ALONE = 0.75  # the part of the time for which a start computes when it has its core to itself
TICK = os.sysconf("SC_CLK_TCK")  # of a second
STARTED = 19  # the place of a process's start in /proc/PID/stat after the name (proc(5))


@dataclass(frozen=True)
class Start:
    """Seconds until the first 200 to a request that needs the keys and the database."""

    from_exec: float  # of gunicorn's command
    from_fork: float  # of the worker, which builds the application when it is the only one
    cpu: float  # seconds of the processor that all of it used

    @property
    def undisturbed(self) -> bool:
        """Whether it had its core to itself."""
        return self.cpu / self.from_exec >= ALONE


def starts(arena: Arena, times: int) -> list[Start]:
    """Start ours so many times; raises ``BenchError``."""
    return [_start(arena) for _ in range(times)]


def _start(arena: Arena) -> Start:
    before = _now()
    arena.begin(next(variant for variant in VARIANTS if variant.name == OURS), NAME, (), {})
    server = arena.process(NAME)
    answered = _first_answer(arena.ports[NAME], arena.token)
    worker = server.children()[0]
    found = Start(answered - before, answered - _forked(worker), cpu_seconds(server))
    say(f"a cold start: {found.from_exec:.2f} s from exec, {found.from_fork:.2f} s from fork")
    arena.stop(NAME)
    return found


def _first_answer(port: int, token: str) -> float:
    """Return when a service on ``port`` first answered well; raises ``BenchError``."""
    deadline = _now() + PATIENCE
    headers = {"Authorization": f"Bearer {token}"}
    while _now() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", PATH, headers=headers)
            if connection.getresponse().status == http.client.OK:
                return _now()
        except OSError:  # nobody listens yet
            pass
        finally:
            connection.close()
        time.sleep(LOOK)
    message = f"a server did not answer within {PATIENCE:.0f} s of its start"
    raise BenchError(message)


def _now() -> float:
    """Return the seconds since the machine's start, by which the kernel dates processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _forked(process: psutil.Process) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[STARTED]) / TICK
