"""Latencies and outcomes of all calls, by second and operation, in a form that workers can send."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

BUCKET_WIDTH = math.log(1.02)  # a bucket's upper bound is 2 % above the previous one's
MIN_LATENCY_MS = 0.1

OK, REFUSED = "ok", "refused"  # REFUSED: 429 or 503 with Retry-After
NOT_STARTED = "not started, too many in flight"
JOURNEY = "JOURNEY"  # in place of a method: a journey's calls are recorded as one


def bucket(milliseconds: float) -> int:
    """Return the number of the bucket of a latency."""
    return math.ceil(math.log(max(milliseconds, MIN_LATENCY_MS) / MIN_LATENCY_MS) / BUCKET_WIDTH)


def upper_bound_ms(number: int) -> float:
    """Return the upper bound of a bucket in milliseconds."""
    return MIN_LATENCY_MS * math.exp(number * BUCKET_WIDTH)


@dataclass
class CallStats:
    """Latency histogram and outcomes of some calls."""

    buckets: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def record(self, milliseconds: float, outcome: str) -> None:
        """Add a call; refusals and failures have no latency."""
        self.outcomes[outcome] += 1
        if outcome == OK:
            self.buckets[bucket(milliseconds)] += 1

    def add(self, other: "CallStats") -> None:
        """Add the calls of other statistics."""
        self.buckets.update(other.buckets)
        self.outcomes.update(other.outcomes)

    @property
    def count(self) -> int:
        """Number of calls."""
        return self.outcomes.total()

    @property
    def failed(self) -> int:
        """Number of calls that neither succeeded nor were refused with Retry-After."""
        return self.count - self.outcomes[OK] - self.outcomes[REFUSED]

    def percentile(self, fraction: float) -> float:
        """Return the latency in ms that ``fraction`` of the calls did not exceed; 0 without any."""
        remaining = math.ceil(fraction * self.buckets.total())
        for number in sorted(self.buckets):
            remaining -= self.buckets[number]
            if remaining <= 0:
                return upper_bound_ms(number)
        return 0.0


@dataclass
class Recording:
    """Call statistics of a run by second (since the epoch) and operation."""

    cells: dict[tuple[int, str], CallStats] = field(default_factory=dict)

    def record(self, second: float, operation: str, milliseconds: float, outcome: str) -> None:
        """Add a call that was scheduled at ``second``."""
        self.cells.setdefault((int(second), operation), CallStats()).record(milliseconds, outcome)

    def add(self, other: "Recording") -> None:
        """Add another recording."""
        for key, stats in other.cells.items():
            self.cells.setdefault(key, CallStats()).add(stats)

    def drain(self) -> "Recording":
        """Return the recorded calls, and remove them from this recording."""
        drained, self.cells = self.cells, {}
        return Recording(drained)

    def sum(self, begin: float, end: float) -> CallStats:
        """Return the statistics of all calls from ``begin`` up to ``end``."""
        total = CallStats()
        for (second, _), stats in self.cells.items():
            if begin <= second < end:
                total.add(stats)
        return total

    def by_operation(self, begin: float, end: float) -> dict[str, CallStats]:
        """Return the statistics from ``begin`` up to ``end`` by operation, sorted by name."""
        sums: dict[str, CallStats] = {}
        for (second, operation), stats in sorted(self.cells.items(), key=lambda item: item[0][1]):
            if begin <= second < end:
                sums.setdefault(operation, CallStats()).add(stats)
        return sums

    def to_json(self) -> list[list[Any]]:
        """Return the recording as a JSON array."""
        return [
            [second, name, [list(item) for item in stats.buckets.items()], dict(stats.outcomes)]
            for (second, name), stats in self.cells.items()
        ]

    @classmethod
    def from_json(cls, document: Iterable[list[Any]]) -> "Recording":
        """Parse the result of ``to_json``."""
        return cls(
            {
                (second, name): CallStats(Counter(dict(buckets)), Counter(outcomes))
                for second, name, buckets, outcomes in document
            }
        )
