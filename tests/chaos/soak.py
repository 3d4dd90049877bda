"""Soak test: load the whole system for minutes; nothing may leak and no request may fail.

Memory is the proportional set size (PSS) of each process without shared memory, because the
shared buffers of PostgreSQL fill and then stay constant. PostgreSQL's figure is the mean of its
processes, because the connection pools fill too. The third minute, with warm caches, is compared
with the last one. A connection has leaked if a part has more than its pools may hold, or if one
is busy without load.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median

import psutil

from servicekit.outbox.relay import CONNECTIONS as RELAY_CONNECTIONS
from tests.chaos.history import check_history, read
from tests.chaos.load_driver import LoadDriver
from tests.chaos.system import WORKERS, SystemUnderTest, running
from tests.support.steps import Progress

THREADS = 4  # of each worker, and connections of its pool
WARMUP_SECONDS = 120.0  # until caches are full
SAMPLE_SECONDS = 10.0
WINDOW = 6  # samples that are compared
MAX_GROWTH = 0.05  # of the memory of a part, as a share

Samples = dict[str, list[float]]

report = Progress("soak")


def main() -> int:
    """Run the load, print the figures, and return 1 after a leak or a failed request."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.soak",
        description=__doc__,
        epilog="Exit codes: 0 nothing leaked or failed, 1 something did.",
    )
    parser.add_argument(
        "--minutes", type=float, default=10, help="in all (10), two of them to warm up"
    )
    minutes = parser.parse_args().minutes
    with running(report, {"THREADS": str(THREADS)}) as system:
        violations = [*soak(system, minutes)]
    for violation in violations:
        print(f"BROKEN  {violation}")
    return 1 if violations else 0


def soak(system: SystemUnderTest, minutes: float) -> Iterator[str]:
    """Load a system, print its figures, and yield the violations."""
    driver = LoadDriver(system, system.folder / "soak.jsonl")
    memory: Samples = defaultdict(list)
    connections: Samples = defaultdict(list)
    with driver.load():
        end = time.monotonic() + minutes * 60
        report(f"warming up for {WARMUP_SECONDS:.0f} s")
        system.pause(WARMUP_SECONDS)
        while time.monotonic() < end:
            take_samples(system, memory, connections)
            report(f"{max(0, end - time.monotonic()):.0f} s left")
            system.pause(SAMPLE_SECONDS)
    system.wait_converged(time.monotonic())
    busy = system.database.busy_sessions()
    yield from _history_violations(system, driver)
    yield from growth("memory in MiB", memory, MAX_GROWTH)
    yield from excess_connections(connections)
    if busy:
        yield f"connections are busy without load: {busy}"


def _history_violations(system: SystemUnderTest, driver: LoadDriver) -> Iterator[str]:
    verdict = check_history(read(driver.history), driver.final_state())
    print(f"{verdict.operations} operations, {verdict.lost} lost, {verdict.duplicated} duplicated")
    yield from verdict.violations
    if verdict.lost or verdict.duplicated or verdict.orphans:
        counts = f"{verdict.lost} lost, {verdict.duplicated} duplicated"
        yield f"{counts}, {verdict.orphans} orphans"
    if system.restarts:
        yield f"parts exited: {dict(system.restarts)}"
    unknown = sum(1 for attempt in read(driver.history) if attempt.outcome == "unknown")
    if unknown:
        yield f"{unknown} calls failed"


def take_samples(system: SystemUnderTest, memory: Samples, connections: Samples) -> None:
    """Add one sample of each part."""
    for name, processes in parts(system):
        memory[name].append(mean(map(pss, processes)))
    for name, count in system.database.sessions().items():
        connections[name].append(count)


def parts(system: SystemUnderTest) -> Iterator[tuple[str, list[psutil.Process]]]:
    """Yield each process with a name, and all processes of PostgreSQL together."""
    for child in system.stack.supervisor.children:
        process = system.process(child.name)
        for each in (process, *process.children(recursive=True)):
            yield f"{child.name} {each.pid}", [each]
    yield "PostgreSQL", system.postgres()


def pss(process: psutil.Process) -> float:
    """Return the private and proportional memory of a process in MiB; 0 if it has exited."""
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    sizes = {line.split()[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}  # KiB
    return (sizes["Pss:"] - sizes["Pss_Shmem:"]) / 1024


def growth(what: str, samples: Samples, limit: float) -> Iterator[str]:
    """Print the growth of each part, and yield those above ``limit``."""
    print(f"{what:24}{'first':>10}{'last':>10}")
    for part, values in samples.items():
        first, last = median(values[:WINDOW]), median(values[-WINDOW:])
        share = last / first - 1 if first else 0
        print(f"  {part:22}{first:10.1f}{last:10.1f}{share:+10.1%}")
        if share > limit:
            yield f"{what} of {part} grew by {share:.1%}"


def excess_connections(connections: Samples) -> Iterator[str]:
    """Print the connections of each part, and yield those above the size of its pools."""
    print(f"{'connections':24}{'most':>10}{'may have':>10}")
    for part, values in connections.items():
        limit = RELAY_CONNECTIONS if part.endswith("-relay") else WORKERS * THREADS
        print(f"  {part:22}{max(values):10.0f}{limit:10}")
        if max(values) > limit:
            yield f"{part} had {max(values):.0f} connections, and its pools hold {limit}"


if __name__ == "__main__":
    sys.exit(main())
