"""Metrics in memory that all workers of a service share.

Each worker writes to a separate slot, only on its event loop, so there is no lock and a request
costs some two microseconds. A scrape sums all slots. The slots live as long as the gunicorn master:
a new worker continues the counters of the worker that it replaces.
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

OPERATION = "cadastro.operation"  # environ key: the operationId, set by the operation
NO_OPERATION = "none"
STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx")
LATENCY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds
LAG_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0)  # seconds
SAMPLE_INTERVAL = 0.5  # seconds between samples of the instruments
STALE_AFTER = 10 * SAMPLE_INTERVAL  # seconds without a sample until a worker counts as dead
MIN_SLOTS = 8  # workers; a reload doubles their number for a while
FLOAT_SIZE = 8  # bytes


@dataclass(frozen=True)
class Instrument:
    """A gauge or counter of one process, which the callback ``read`` returns."""

    name: str  # in Prometheus, without ``_total``
    help: str
    read: Callable[[], float]
    is_counter: bool = False


@dataclass(frozen=True)
class Sample:
    """A gauge value that is read during a scrape, and is the same in every process."""

    name: str
    help: str
    value: float


@dataclass(frozen=True)
class Histogram:
    """Counts of values in disjoint buckets, and the sum of the values."""

    bounds: Sequence[float]
    counts: Sequence[float]  # one more than ``bounds``, for the last bucket without a bound
    total: float


class SharedMetrics:
    """Request histograms by operation and status class, event loop lag, and instruments."""

    def __init__(
        self,
        service: str,
        operations: Iterable[str],
        instruments: Sequence[Instrument],
        workers: int,
    ) -> None:
        """Allocate a slot for every possible worker; each must call ``start``."""
        self.service = service
        self.operations = (*sorted(operations), NO_OPERATION)
        self.instruments = instruments
        # offsets in a slot; a row has a bucket more than bounds, and the sum
        self._row_size = len(LATENCY_BUCKETS) + 2
        self._lag = len(self.operations) * len(STATUS_CLASSES) * self._row_size
        self._instruments = self._lag + len(LAG_BUCKETS) + 2
        self._heartbeat = self._instruments + len(instruments)
        self._slot_size = self._heartbeat + 1
        self._offsets = {
            name: row * len(STATUS_CLASSES) * self._row_size
            for row, name in enumerate(self.operations)
        }
        self._slots = max(MIN_SLOTS, 2 * workers)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)
        self._file.truncate(self._slots * self._slot_size * FLOAT_SIZE)
        shared = mmap.mmap(self._file.fileno(), self._slots * self._slot_size * FLOAT_SIZE)
        self._numbers = memoryview(shared).cast("d")
        self._base = 0
        self._previous = [0.0] * len(instruments)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Acquire a free slot and start to sample the instruments.

        Raises:
            RuntimeError: there are more workers than slots.

        """
        self._base = self._acquire_slot() * self._slot_size
        self._sample(asyncio.get_running_loop().time())

    def stop(self) -> None:
        """Stop sampling."""
        if self._timer is not None:
            self._timer.cancel()
        self._numbers[self._base + self._heartbeat] = 0.0

    def observe_request(self, environ: WSGIEnvironment, status: int, seconds: float) -> None:
        """Count a request unless it is a probe; call it on the event loop only."""
        operation = environ.get(OPERATION)
        if operation is None:
            if environ.get("PATH_INFO", "").startswith("/-/"):
                return
            operation = NO_OPERATION
        row = self._base + self._offsets[operation] + (status // 100 - 2) * self._row_size
        self._numbers[row + bisect_left(LATENCY_BUCKETS, seconds)] += 1
        self._numbers[row + self._row_size - 1] += seconds

    def request_histograms(self) -> Iterator[tuple[str, str, Histogram]]:
        """Yield operation, status class and latencies in seconds of all requests."""
        for operation in self.operations:
            for row, status in enumerate(STATUS_CLASSES):
                offset = self._offsets[operation] + row * self._row_size
                histogram = self._sum(offset, LATENCY_BUCKETS)
                if any(histogram.counts):
                    yield operation, status, histogram

    def lag(self) -> Histogram:
        """Return the delays of the event loops' timers in seconds."""
        return self._sum(self._lag, LAG_BUCKETS)

    def totals(self) -> Iterator[tuple[Instrument, float]]:
        """Yield each instrument with its sum: gauges over live workers, counters over all slots."""
        bases = range(0, len(self._numbers), self._slot_size)
        now = time.monotonic()
        live = [b for b in bases if now - self._numbers[b + self._heartbeat] < STALE_AFTER]
        for offset, instrument in enumerate(self.instruments, self._instruments):
            counted = bases if instrument.is_counter else live
            yield instrument, sum(self._numbers[base + offset] for base in counted)

    def _acquire_slot(self) -> int:
        """Lock a byte of the file; the kernel unlocks it when this process ends."""
        for slot in range(self._slots):
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot, os.SEEK_SET)
            except OSError:
                continue
            return slot
        raise RuntimeError(f"there are more workers than the {self._slots} slots for metrics")

    def _sample(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        lag = max(0.0, loop.time() - due)
        row = self._base + self._lag
        self._numbers[row + bisect_left(LAG_BUCKETS, lag)] += 1
        self._numbers[row + len(LAG_BUCKETS) + 1] += lag
        for index, instrument in enumerate(self.instruments):
            value = instrument.read()
            offset = self._base + self._instruments + index
            if instrument.is_counter:
                self._numbers[offset] += value - self._previous[index]
            else:
                self._numbers[offset] = value
            self._previous[index] = value
        self._numbers[self._base + self._heartbeat] = time.monotonic()
        due = loop.time() + SAMPLE_INTERVAL
        self._timer = loop.call_at(due, self._sample, due)

    def _sum(self, offset: int, bounds: Sequence[float]) -> Histogram:
        row_size = len(bounds) + 2
        rows = [
            self._numbers[base + offset : base + offset + row_size].tolist()
            for base in range(0, len(self._numbers), self._slot_size)
        ]
        *counts, total = (sum(column) for column in zip(*rows, strict=True))
        return Histogram(bounds, counts, total)
