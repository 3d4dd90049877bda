"""How busy each part of the system on this machine is, as long as somebody watches."""

import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psutil

from load.harness.background_sampler import Lookout

EVERY = 1.0  # seconds between two looks
SERVICES = [path.stem for path in (Path(__file__).parents[2] / "openapi").glob("*.yaml")]
CLIENT, OTHERS = "the load itself", "others on this machine"
MACHINE, DISK = "the machine, of 1", "waiting for the disk, of 1"


class Watch(Lookout):
    """Looks at processes until the end of its ``with`` block.

    Without a data folder of a running system it sees the machine and the load alone.
    """

    def __init__(self, data: Path) -> None:
        """Watch the system whose data folder this is."""
        super().__init__()
        self._root = _root(data)
        self._looks: list[dict[str, float]] = []

    def busiest(self, seconds: float) -> Mapping[str, float]:
        """Return each part's mean use of one core over the busiest ``seconds`` of the machine."""
        looks = sorted(self._looks, key=lambda look: look[MACHINE])[-max(1, round(seconds)) :]
        names = {name for look in looks for name in look}
        return {name: sum(look.get(name, 0) for look in looks) / len(looks) for name in names}

    def _watch(self) -> None:
        before, then = self._times(), time.monotonic()
        psutil.cpu_times_percent()
        while not self._stop.wait(EVERY):
            after, now = self._times(), time.monotonic()
            look: dict[str, float] = defaultdict(float)
            for key, seconds in after.items():
                look[key[1]] += (seconds - before.get(key, seconds)) / (now - then)
            machine = psutil.cpu_times_percent()
            look[MACHINE] = 1 - (machine.idle + getattr(machine, "iowait", 0)) / 100
            busy = look[MACHINE] * (psutil.cpu_count() or 1)
            known = sum(used for name, used in look.items() if name != MACHINE)
            look[OTHERS] = max(0.0, busy - known)
            look[DISK] = getattr(machine, "iowait", 0) / 100
            self._looks.append(look)
            before, then = after, now

    def _times(self) -> dict[tuple[int, str], float]:
        """Return the seconds of CPU that each process has used, and the part that it is."""
        found = {}
        roots = [root for root in (self._root, psutil.Process()) if root is not None]
        for root in roots:
            for process in _family(root):
                try:
                    times, words = process.cpu_times(), process.cmdline()
                except psutil.Error:
                    continue
                part = _part(" ".join(words)) if root is self._root else CLIENT
                found[process.pid, part] = times.user + times.system
        return found


def _root(data: Path) -> psutil.Process | None:
    try:
        return psutil.Process(int((data / "lock").read_text()))
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def _family(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _part(command: str) -> str:
    """Return what a process is, by its command line."""
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
