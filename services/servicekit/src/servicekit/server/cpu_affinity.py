"""Which core a worker process is pinned to, where a service has several workers (Linux)."""

import os
from collections import Counter
from collections.abc import Collection, Iterable

POLICIES = ("auto", "always", "never")


def core_for_one_more(
    policy: str, workers: int, taken: Iterable[int | None], cores: Collection[int], machine: int
) -> int | None:
    """Return the core of the next worker, or None when it shall run wherever there is room.

    Args:
        policy: one of ``POLICIES``. ``auto`` pins where the cores are as many as the workers, or
            fewer than the machine's: then somebody has chosen them for us. Otherwise others may
            be at work on them, and only the kernel sees where there is room.
        workers: how many there shall be; one is never pinned, nor are more than ``cores``.
        taken: the cores of those that live; what one had that has ended is free again.
        cores: those that we may run on.
        machine: how many the machine has.

    """
    if policy == "never" or workers == 1 or len(cores) < workers:
        return None
    if policy == "auto" and workers < len(cores) == machine:
        return None
    held = Counter(taken)  # while gunicorn reloads, twice as many live
    return min(sorted(cores), key=held.__getitem__)


def usable_cores() -> set[int]:
    """Return the cores that this process may run on: none where the system does not tell."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def pin(core: int) -> None:
    """Run on one core from now on, with all threads that are started later.

    Raises:
        OSError: the system does not let us, or the core is not ours any more.

    """
    os.sched_setaffinity(0, {core})
