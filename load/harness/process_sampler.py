"""CPU usage of each part of the system on this machine during a run."""

import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psutil

from load.harness.background_sampler import BackgroundSampler

INTERVAL_SECONDS = 1.0
SERVICES = [path.stem for path in (Path(__file__).parents[2] / "openapi").glob("*.yaml")]
CLIENT, OTHERS = "the load generator", "other processes"
MACHINE, DISK = "the machine, of 1", "disk wait, of 1"


class ProcessSampler(BackgroundSampler):
    """Samples processes within its ``with`` block.

    Without the data folder of a running system it sees the machine and the load generator alone.
    """

    def __init__(self, data: Path) -> None:
        """Sample the system with this data folder."""
        super().__init__()
        self._root = _root(data)
        self._samples: list[dict[str, float]] = []

    def busiest(self, seconds: float) -> Mapping[str, float]:
        """Return each part's mean usage in cores over the machine's busiest ``seconds``."""
        count = max(1, round(seconds))
        samples = sorted(self._samples, key=lambda sample: sample[MACHINE])[-count:]
        names = {name for sample in samples for name in sample}
        return {name: sum(s.get(name, 0) for s in samples) / len(samples) for name in names}

    def _run(self) -> None:
        before, then = self._times(), time.monotonic()
        psutil.cpu_times_percent()
        while not self._stop.wait(INTERVAL_SECONDS):
            after, now = self._times(), time.monotonic()
            self._samples.append(_sample(before, after, now - then))
            before, then = after, now

    def _times(self) -> dict[tuple[int, str], float]:
        """Return the CPU seconds of each process, by its id and the part that it belongs to."""
        times = {}
        roots = [root for root in (self._root, psutil.Process()) if root is not None]
        for root in roots:
            for process in _descendants(root):
                try:
                    used, words = process.cpu_times(), process.cmdline()
                except psutil.Error:
                    continue
                part = _part(" ".join(words)) if root is self._root else CLIENT
                times[process.pid, part] = used.user + used.system
        return times


def _sample(
    before: Mapping[tuple[int, str], float], after: Mapping[tuple[int, str], float], took: float
) -> dict[str, float]:
    sample: dict[str, float] = defaultdict(float)
    for key, seconds in after.items():
        sample[key[1]] += (seconds - before.get(key, seconds)) / took
    known = sum(sample.values())
    machine = psutil.cpu_times_percent()
    disk_wait = getattr(machine, "iowait", 0) / 100
    sample[MACHINE] = 1 - machine.idle / 100 - disk_wait
    sample[OTHERS] = max(0.0, sample[MACHINE] * (psutil.cpu_count() or 1) - known)
    sample[DISK] = disk_wait
    return sample


def _root(data: Path) -> psutil.Process | None:
    try:
        return psutil.Process(int((data / "lock").read_text()))
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def _descendants(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _part(command: str) -> str:
    """Return the part that a command line belongs to."""
    if "traefik" in command:
        return "ingress"
    if "postgres" in command and "gunicorn" not in command:
        return "database"
    for service in SERVICES:
        if f"{service}.relay" in command:
            return f"{service}-relay"
        if f"{service}.app" in command:
            return service
    return "supervisor"
