"""What every call took and how it ended, second by second; small enough to be sent around."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

STEP = math.log(1.02)  # a bucket is 2 % wide
SMALLEST = 0.1  # ms

OK, REFUSED = "ok", "refused"  # REFUSED: 429 or 503 with Retry-After
NOT_STARTED = "not started, as too many were under way"
JOURNEY = "JOURNEY"  # in place of a method: many calls that are told as one


def bucket(milliseconds: float) -> int:
    """Return the bucket that a latency falls into."""
    return math.ceil(math.log(max(milliseconds, SMALLEST) / SMALLEST) / STEP)


def milliseconds(number: int) -> float:
    """Return the upper end of a bucket."""
    return SMALLEST * math.exp(number * STEP)


@dataclass
class Cell:
    """The calls of one operation in one second, or of any sum of such."""

    buckets: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def note(self, took: float, outcome: str) -> None:
        """Add a call that took so many milliseconds; refusals and failures have no latency."""
        self.outcomes[outcome] += 1
        if outcome == OK:
            self.buckets[bucket(took)] += 1

    def add(self, other: "Cell") -> None:
        """Add the calls of another cell."""
        self.buckets.update(other.buckets)
        self.outcomes.update(other.outcomes)

    @property
    def count(self) -> int:
        """How many calls there were."""
        return self.outcomes.total()

    @property
    def failed(self) -> int:
        """How many ended otherwise than well or with a refusal that says when to come again."""
        return self.count - self.outcomes[OK] - self.outcomes[REFUSED]

    def percentile(self, share: float) -> float:
        """Return the latency that ``share`` of the calls did not exceed, in ms; 0 of none."""
        wanted = math.ceil(share * self.buckets.total())
        for number in sorted(self.buckets):
            wanted -= self.buckets[number]
            if wanted <= 0:
                return milliseconds(number)
        return 0.0


@dataclass
class Recording:
    """Every cell of a run, by second (since the epoch) and operation."""

    cells: dict[tuple[int, str], Cell] = field(default_factory=dict)

    def note(self, second: float, operation: str, took: float, outcome: str) -> None:
        """Add a call that was due at ``second``, and took so many milliseconds since then."""
        self.cells.setdefault((int(second), operation), Cell()).note(took, outcome)

    def add(self, other: "Recording") -> None:
        """Add another recording."""
        for key, cell in other.cells.items():
            self.cells.setdefault(key, Cell()).add(cell)

    def drain(self) -> "Recording":
        """Return what is recorded, and forget it."""
        taken, self.cells = self.cells, {}
        return Recording(taken)

    def sum(self, begin: float, end: float, *, of: Callable[[str], bool] = bool) -> Cell:
        """Return the sum of the cells from ``begin`` up to ``end`` whose operation fits."""
        total = Cell()
        for (second, operation), cell in self.cells.items():
            if begin <= second < end and of(operation):
                total.add(cell)
        return total

    def by_operation(self, begin: float, end: float) -> dict[str, Cell]:
        """Return one sum an operation, in the order of their names."""
        sums: dict[str, Cell] = {}
        for (second, operation), cell in sorted(self.cells.items(), key=lambda item: item[0][1]):
            if begin <= second < end:
                sums.setdefault(operation, Cell()).add(cell)
        return sums

    def to_json(self) -> list[list[Any]]:
        """Return it as a document."""
        return [
            [second, name, [list(item) for item in cell.buckets.items()], dict(cell.outcomes)]
            for (second, name), cell in self.cells.items()
        ]

    @classmethod
    def from_json(cls, document: Iterable[list[Any]]) -> "Recording":
        """Read what ``to_json`` made."""
        return cls(
            {
                (second, name): Cell(Counter(dict(buckets)), Counter(outcomes))
                for second, name, buckets, outcomes in document
            }
        )
