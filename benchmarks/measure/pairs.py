"""Two things that were measured one after the other in the same rounds, and their ratios."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure.sample import Sample

ALONE = 0.85  # the part of its core that a server under full load uses when nobody else does


@dataclass(frozen=True)
class Pairs:
    """Ours and another's samples, one of each a round; what is no server has no CPU of its own."""

    ours: Sequence[Sample]
    theirs: Sequence[Sample]
    cores: int = 1  # how many times as many cores ours has

    @property
    def rates(self) -> list[float]:
        """Ours over the other's rate, round by round."""
        return [mine.rate / other.rate for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def by_cpu(self) -> float | None:
        """How many times as fast ours would be if each had its cores to itself; a median."""
        if not all(sample.cpu for sample in (*self.ours, *self.theirs)):
            return None
        pairs = zip(self.ours, self.theirs, strict=True)
        return self.cores * statistics.median(other.cpu / mine.cpu for mine, other in pairs)

    @property
    def undisturbed(self) -> bool:
        """Whether the servers' cores were theirs alone, or nearly so, in most rounds."""
        return all(undisturbed(side) for side in (self.ours, self.theirs) if side[0].cpu)


def undisturbed(samples: Sequence[Sample]) -> bool:
    """Tell whether a server's cores were its own, or nearly so, in most of the samples."""
    return median(samples, "server_busy") >= ALONE


def median(samples: Sequence[Sample], what: str = "rate") -> float:
    """Return the median of one of the samples' figures."""
    return statistics.median(float(getattr(sample, what)) for sample in samples)
