"""CPU affinity of worker processes, for services with several workers (Linux)."""

import os
from collections import Counter
from collections.abc import Collection, Iterable

POLICIES = ("auto", "always", "never")


def choose_core(
    policy: str,
    workers: int,
    assigned: Iterable[int | None],
    cores: Collection[int],
    cpu_count: int,
) -> int | None:
    """Return the core for the next worker, or ``None`` if the kernel shall schedule it freely.

    Args:
        policy: one of ``POLICIES``. ``auto`` pins if there are as many cores as workers, or fewer
            than ``cpu_count``, which means that an administrator reserved them. Otherwise other
            processes may use the cores, and only the kernel balances the load.
        workers: target number; a single worker is never pinned, nor are more than ``cores``.
        assigned: cores of the live workers.
        cores: cores that this process may use.
        cpu_count: number of cores of the machine.

    """
    if policy == "never" or workers == 1 or len(cores) < workers:
        return None
    if policy == "auto" and workers < len(cores) == cpu_count:
        return None
    counts = Counter(assigned)  # during a reload of gunicorn, old and new workers share cores
    return min(sorted(cores), key=counts.__getitem__)


def usable_cores() -> set[int]:
    """Return the cores that this process may use; empty where the system cannot report them."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def pin(core: int) -> None:
    """Pin this process and its future threads to one core.

    Raises:
        OSError: the system denies it, or the core is no longer available.

    """
    os.sched_setaffinity(0, {core})
