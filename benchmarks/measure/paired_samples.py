"""Samples of two servers from the same rounds, and their ratios."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure.sample import Sample

MIN_CORE_SHARE = 0.85  # of its core, that a fully loaded server uses without other processes on it


@dataclass(frozen=True)
class PairedSamples:
    """Samples of ours and of another server, one each a round; pgbench has no CPU time."""

    ours: Sequence[Sample]
    theirs: Sequence[Sample]
    core_ratio: int = 1  # ours has this many times as many cores

    @property
    def rate_ratios(self) -> list[float]:
        """Our rate divided by theirs, for each round."""
        return [mine.rate / other.rate for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def cpu_ratio(self) -> float | None:
        """Our speed divided by theirs if each had its cores to itself; a median."""
        if not all(sample.cpu for sample in (*self.ours, *self.theirs)):
            return None
        pairs = zip(self.ours, self.theirs, strict=True)
        return self.core_ratio * statistics.median(other.cpu / mine.cpu for mine, other in pairs)

    @property
    def is_undisturbed(self) -> bool:
        """True where the servers had their cores to themselves in most rounds."""
        return all(is_undisturbed(side) for side in (self.ours, self.theirs) if side[0].cpu)


def is_undisturbed(samples: Sequence[Sample]) -> bool:
    """Return True where a server had its cores to itself in most of the samples."""
    return median(samples, "server_busy") >= MIN_CORE_SHARE


def median(samples: Sequence[Sample], field: str = "rate") -> float:
    """Return the median of one field of the samples."""
    return statistics.median(float(getattr(sample, field)) for sample in samples)
