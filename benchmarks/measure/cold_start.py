"""Duration of a cold start: from exec, and from the worker's fork, to the first response."""

import http.client
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.measure.process_usage import cpu_seconds
from benchmarks.progress import BenchmarkError, report
from benchmarks.testbed.testbed import PROBE_PATH, Testbed
from benchmarks.testbed.variants import CADASTRO

SERVER = "cold_start"
POLL_INTERVAL_SECONDS = 0.002
TIMEOUT_SECONDS = 120.0
MIN_CPU_SHARE = 0.75  # of the duration, that a start computes when it has its core to itself
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")  # a second
START_TIME_FIELD = 19  # of /proc/PID/stat, counted after the name (proc(5))


@dataclass(frozen=True)
class ColdStart:
    """Seconds until the first 200 to a request that needs the keys and the database."""

    from_exec: float  # of gunicorn's command
    from_fork: float  # of the worker, which builds the application when it is the only one
    cpu: float  # seconds of all processes

    @property
    def is_undisturbed(self) -> bool:
        """True where the start had its core to itself."""
        return self.cpu / self.from_exec >= MIN_CPU_SHARE


def measure_cold_starts(testbed: Testbed, count: int) -> list[ColdStart]:
    """Start the service repeatedly.

    Raises:
        BenchmarkError: it did not become ready.

    """
    return [_measure(testbed) for _ in range(count)]


def _measure(testbed: Testbed) -> ColdStart:
    began = _since_boot()
    testbed.launch(CADASTRO, SERVER, {})
    server = testbed.servers.process(SERVER)
    ready = _wait_until_ready(testbed.servers.ports[SERVER], testbed.token)
    worker = server.children()[0]
    start = ColdStart(ready - began, ready - _start_time(worker), cpu_seconds(server))
    report(f"cold start: {start.from_exec:.2f} s from exec, {start.from_fork:.2f} s from fork")
    testbed.servers.stop(SERVER)
    return start


def _wait_until_ready(port: int, token: str) -> float:
    """Return the time of the first successful response."""
    deadline = _since_boot() + TIMEOUT_SECONDS
    headers = {"Authorization": f"Bearer {token}"}
    while _since_boot() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", PROBE_PATH, headers=headers)
            if connection.getresponse().status == http.client.OK:
                return _since_boot()
        except OSError:  # the socket is not open yet
            pass
        finally:
            connection.close()
        time.sleep(POLL_INTERVAL_SECONDS)
    raise BenchmarkError(f"a server was not ready within {TIMEOUT_SECONDS:.0f} s of its start")


def _since_boot() -> float:
    """Return the seconds since boot, the clock of process start times."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _start_time(process: psutil.Process) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[START_TIME_FIELD]) / CLOCK_TICKS
