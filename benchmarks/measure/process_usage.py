"""CPU time and memory of process trees."""

from contextlib import suppress

import psutil


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process and its descendants."""
    seconds = 0.0
    for member in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            seconds += sum(member.cpu_times()[:2])
    return seconds


def memory_mb(process: psutil.Process) -> float:
    """Return the proportional set size of a process and its descendants, in MB."""
    tree = [process, *process.children(recursive=True)]
    return float(sum(member.memory_full_info().pss for member in tree)) / 1e6
