"""Durations of a monitor's runs as a histogram, which the status keeps.

Each count is that of a bucket alone; Prometheus wants them cumulative.
"""

from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from synthetic.operator.resources import Object
from synthetic.operator.status_schema import DURATION_BUCKETS, MAX_COUNT

BOUNDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds; another bucket has longer runs
NONE = (0,) * DURATION_BUCKETS


@dataclass(frozen=True, slots=True)
class Durations:
    """Number of runs by bucket, and the sum of their durations."""

    counts: tuple[int, ...] = NONE
    sum_ms: int = 0

    @classmethod
    def read(cls, stored: Object) -> Self:
        """Parse the histogram of a status; one with other buckets counts as empty."""
        counts = tuple(stored.get("counts", ()))
        if len(counts) != DURATION_BUCKETS or "sumMs" not in stored:
            return cls()
        return cls(counts, stored["sumMs"])

    def add(self, duration_ms: int) -> "Durations":
        """Return the histogram with another run."""
        place = sum(duration_ms > 1000 * bound for bound in BOUNDS)
        counts = list(self.counts)
        counts[place] = min(counts[place] + 1, MAX_COUNT)
        return Durations(tuple(counts), min(self.sum_ms + duration_ms, MAX_COUNT))

    def buckets(self) -> list[tuple[str, float]]:
        """Return the cumulative buckets as Prometheus names them."""
        return list(zip([*map(str, BOUNDS), "+Inf"], accumulate(self.counts), strict=True))

    def to_status(self) -> Object:
        """Return the histogram as the status keeps it; an empty one is left out."""
        return {"counts": list(self.counts), "sumMs": self.sum_ms} if any(self.counts) else {}
