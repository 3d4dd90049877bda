"""One line of the table, and the verdict on its target."""

from collections.abc import Sequence
from dataclasses import dataclass

NAME_WIDTH = 13  # of the first column
HEAD = (
    f"{'':{NAME_WIDTH}}{'against':36}{'ours':>8}{'theirs':>8}{'ratio':>8}{'min-max':>13}"
    f"{'by CPU':>8}{'target':>11}"
)
DISTURBED = "not evaluated: other processes used the core"
BY_CPU = "by CPU: other processes used the core"


@dataclass(frozen=True)
class Row:
    """A line of the table; the target applies to ``observed``."""

    name: str
    against: str
    ours: float
    theirs: float | None
    observed: float
    spread: Sequence[float] = ()
    by_cpu: float | None = None
    target: str = "-"
    verdict: str = ""

    def __str__(self) -> str:
        """Return the line."""
        theirs, by_cpu = (
            "-" if value is None else f"{value:.{places}f}"
            for value, places in ((self.theirs, _places(self.theirs)), (self.by_cpu, 2))
        )
        spread = f"{min(self.spread):.2f}-{max(self.spread):.2f}" if self.spread else "-"
        ours = f"{self.ours:8.{_places(self.ours)}f}"
        names = f"{self.name:{NAME_WIDTH}}{self.against:36}"
        ratios = f"{self.observed:8.2f}{spread:>13}{by_cpu:>8}"
        return f"{names}{ours}{theirs:>8}{ratios}{self.target:>11}  {self.verdict}"


def at_least(observed: float, target: float) -> str:
    """Return the verdict on a minimum."""
    return "met" if observed >= target else f"missed by {1 - observed / target:.0%}"


def at_most(observed: float, target: float) -> str:
    """Return the verdict on a maximum."""
    return "met" if observed <= target else f"missed by {observed / target - 1:.0%}"


def _places(value: float | None) -> int:
    """Return the number of decimal places of a figure."""
    return 0 if value is None or abs(value) >= 100 else 2 if abs(value) < 10 else 1  # noqa: PLR2004
