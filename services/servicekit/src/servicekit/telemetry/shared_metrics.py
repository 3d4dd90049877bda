"""What a service counts while it serves: in memory that all its workers share.

Each worker adds to numbers of its own, on its event loop alone, so that nothing is locked and a
request costs some two microseconds; whoever is asked adds up those of all. The numbers belong to
the master's life, not to a worker's: one that is replaced goes on where the last one ended.
"""

import asyncio
import fcntl
import mmap
import os
import tempfile
import time
import weakref
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from wsgiref.types import WSGIEnvironment

OPERATION = "cadastro.operation"  # in the environ of a request that has found its operation
NO_OPERATION = "none"
CLASSES = ("2xx", "3xx", "4xx", "5xx")
LATENCIES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds
LAGS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0)  # seconds
TICK = 0.5  # seconds between two looks at what is not counted a request
SILENT = 10 * TICK  # seconds after which a worker that has not looked is taken for dead
FEWEST_SLOTS = 8  # workers that may live at once; a reload has twice as many for a while
DOUBLE = 8  # bytes


@dataclass(frozen=True)
class Reading:
    """A number that a process can be asked for: how much now, or how much since its start."""

    name: str  # as Prometheus names it, without ``_total``
    told: str
    read: Callable[[], float]
    grows: bool = False


@dataclass(frozen=True)
class Fact:
    """A number that is looked up when somebody asks, the same whichever process is asked."""

    name: str
    told: str
    value: float


@dataclass(frozen=True)
class Distribution:
    """How many values fell into each of the buckets, which do not overlap, and their sum."""

    bounds: Sequence[float]
    counts: Sequence[float]  # one more than bounds: what is beyond the last
    total: float


class Meter:
    """Counts answers by operation and status class, the event loop's lag, and readings."""

    def __init__(
        self, service: str, operations: Iterable[str], readings: Sequence[Reading], workers: int
    ) -> None:
        """Make room for every worker that may live; each must ``start``."""
        self.service = service
        self.operations = (*sorted(operations), NO_OPERATION)
        self.readings = readings
        self._width = len(LATENCIES) + 2  # the last bucket has no bound, and then comes the sum
        self._lag = len(self.operations) * len(CLASSES) * self._width
        self._readings = self._lag + len(LAGS) + 2
        self._stamp = self._readings + len(readings)
        self._size = self._stamp + 1
        self._at = {
            name: row * len(CLASSES) * self._width for row, name in enumerate(self.operations)
        }
        self._slots = max(FEWEST_SLOTS, 2 * workers)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as we do
        weakref.finalize(self, self._file.close)
        self._file.truncate(self._slots * self._size * DOUBLE)
        shared = mmap.mmap(self._file.fileno(), self._slots * self._size * DOUBLE)
        self._numbers = memoryview(shared).cast("d")
        self._base = 0
        self._before = [0.0] * len(readings)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take a slot that no living process has, and look at the readings from now on.

        Raises:
            RuntimeError: there are more workers than slots.

        """
        self._base = self._take_slot() * self._size
        self._look(asyncio.get_running_loop().time())

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._numbers[self._base + self._stamp] = 0.0

    def answered(self, environ: WSGIEnvironment, status: int, seconds: float) -> None:
        """Count an answer, but for one to a probe; only the event loop may call it."""
        operation = environ.get(OPERATION)
        if operation is None:
            if environ.get("PATH_INFO", "").startswith("/-/"):
                return
            operation = NO_OPERATION
        at = self._base + self._at[operation] + (status // 100 - 2) * self._width
        self._numbers[at + bisect_left(LATENCIES, seconds)] += 1
        self._numbers[at + self._width - 1] += seconds

    def answers(self) -> Iterator[tuple[str, str, Distribution]]:
        """Yield operation, status class and latencies in seconds of all that was answered."""
        for operation in self.operations:
            for row, status in enumerate(CLASSES):
                found = self._sum(self._at[operation] + row * self._width, LATENCIES)
                if any(found.counts):
                    yield operation, status, found

    def lag(self) -> Distribution:
        """Return by how much, in seconds, the event loops came too late to their timers."""
        return self._sum(self._lag, LAGS)

    def read(self) -> Iterator[tuple[Reading, float]]:
        """Yield the readings, added up: what is now, over those who live; what grew, over all."""
        bases = range(0, len(self._numbers), self._size)
        now = time.monotonic()
        living = [b for b in bases if now - self._numbers[b + self._stamp] < SILENT]
        for place, reading in enumerate(self.readings, self._readings):
            yield (
                reading,
                sum(self._numbers[b + place] for b in (bases if reading.grows else living)),
            )

    def _take_slot(self) -> int:
        """Lock a byte of the file, which the kernel unlocks when this process ends."""
        for slot in range(self._slots):
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot, os.SEEK_SET)
            except OSError:
                continue
            return slot
        message = f"more than {self._slots} workers cannot be counted"
        raise RuntimeError(message)

    def _look(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        late = max(0.0, loop.time() - due)
        at = self._base + self._lag
        self._numbers[at + bisect_left(LAGS, late)] += 1
        self._numbers[at + len(LAGS) + 1] += late
        for index, reading in enumerate(self.readings):
            value = reading.read()
            place = self._base + self._readings + index
            self._numbers[place] = (
                self._numbers[place] + value - self._before[index] if (reading.grows) else value
            )
            self._before[index] = value
        self._numbers[self._base + self._stamp] = time.monotonic()
        due = loop.time() + TICK
        self._timer = loop.call_at(due, self._look, due)

    def _sum(self, at: int, bounds: Sequence[float]) -> Distribution:
        width = len(bounds) + 2
        rows = [
            self._numbers[base + at : base + at + width].tolist()
            for base in range(0, len(self._numbers), self._size)
        ]
        *counts, total = (sum(column) for column in zip(*rows, strict=True))
        return Distribution(bounds, counts, total)
