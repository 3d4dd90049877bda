"""`make soak`: loads the whole system for some minutes; nothing may leak and nothing may fail.

Memory is the proportional set size (PSS) of each process, without shared memory: PostgreSQL's is
a pool that fills and never grows. Of PostgreSQL's processes it is the mean, since the pools of
connections fill too. The third minute, when caches are warm, is compared with the last one. A
connection has leaked when a part has more than its pools may hold, or when one stays busy while
nobody calls.
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
from tests.chaos.history import judge, read
from tests.chaos.load_driver import Crowd
from tests.chaos.system import WORKERS, System, running

THREADS = 4  # of each worker, and connections of its pool
WARM = 120.0  # seconds, until caches are full
SAMPLE = 10.0  # seconds between two looks
WINDOW = 6  # looks that are compared
GROWTH = 0.05  # the share by which a part may grow

Samples = dict[str, list[float]]


def main() -> int:
    """Load, look, print the figures, and return 1 when something grew, leaked or failed."""
    parser = argparse.ArgumentParser(
        prog="make soak",
        description=__doc__,
        epilog="Exit codes: 0 all was flat and well, 1 something was not.",
    )
    parser.add_argument(
        "--minutes", type=float, default=10, help="in all (10), two of them to warm up"
    )
    minutes = parser.parse_args().minutes
    with running(say, {"THREADS": str(THREADS)}) as system:
        faults = [*soak(system, minutes)]
    for fault in faults:
        print(f"BROKEN  {fault}")
    return 1 if faults else 0


def soak(system: System, minutes: float) -> Iterator[str]:
    """Load a system, print what it used, and return what is wrong."""
    crowd = Crowd(system, system.folder / "soak.jsonl")
    memory: Samples = defaultdict(list)
    connections: Samples = defaultdict(list)
    with crowd.load():
        end = time.monotonic() + minutes * 60
        say(f"warming up for {WARM:.0f} s")
        system.pause(WARM)
        while time.monotonic() < end:
            look(system, memory, connections)
            say(f"{max(0, end - time.monotonic()):.0f} s left")
            system.pause(SAMPLE)
    system.swept(time.monotonic())
    busy = system.records.busy()
    verdict = judge(read(crowd.book), crowd.final())
    print(f"{verdict.operations} operations, {verdict.lost} lost, {verdict.doubled} doubled")
    yield from verdict.faults
    if verdict.lost or verdict.doubled or verdict.orphans:
        yield f"{verdict.lost} lost, {verdict.doubled} doubled, {verdict.orphans} orphans"
    if system.revived:
        yield f"parts ended: {dict(system.revived)}"
    unknown = sum(1 for attempt in read(crowd.book) if attempt.outcome == "unknown")
    if unknown:
        yield f"{unknown} calls failed"
    yield from grown("memory in MiB", memory, GROWTH)
    yield from leaked(connections)
    if busy:
        yield f"connections are busy while nobody calls: {busy}"


def look(system: System, memory: Samples, connections: Samples) -> None:
    """Add one sample of each part."""
    for name, processes in parts(system):
        memory[name].append(mean(map(pss, processes)))
    for name, count in system.records.sessions().items():
        connections[name].append(count)


def parts(system: System) -> Iterator[tuple[str, list[psutil.Process]]]:
    """Return every process by itself with the name of its part, and PostgreSQL's together."""
    for child in system.stack.supervisor.children:
        process = system.process(child.name)
        for each in (process, *process.children(recursive=True)):
            yield f"{child.name} {each.pid}", [each]
    yield "PostgreSQL", system.postgres()


def pss(process: psutil.Process) -> float:
    """Return a process's memory in MiB; none when it has just ended."""
    try:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    sizes = {line.split()[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}  # KiB
    return (sizes["Pss:"] - sizes["Pss_Shmem:"]) / 1024


def grown(what: str, samples: Samples, limit: float) -> Iterator[str]:
    """Print how each part went, and return those that grew by more than ``limit``."""
    print(f"{what:24}{'first':>10}{'last':>10}")
    for part, values in samples.items():
        first, last = median(values[:WINDOW]), median(values[-WINDOW:])
        growth = last / first - 1 if first else 0
        print(f"  {part:22}{first:10.1f}{last:10.1f}{growth:+10.1%}")
        if growth > limit:
            yield f"{what} of {part} grew by {growth:.1%}"


def leaked(connections: Samples) -> Iterator[str]:
    """Print how many connections each part had, and return those that had too many."""
    print(f"{'connections':24}{'most':>10}{'may have':>10}")
    for part, values in connections.items():
        limit = RELAY_CONNECTIONS if part.endswith("-relay") else WORKERS * THREADS
        print(f"  {part:22}{max(values):10.0f}{limit:10}")
        if max(values) > limit:
            yield f"{part} had {max(values):.0f} connections, and its pools hold {limit}"


def say(text: str) -> None:
    """Show progress."""
    print(f"soak: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
