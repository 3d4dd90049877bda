"""Durations of a monitor's runs, steps and phases as histograms, which the status keeps.

A line of the status has the count of each bucket alone, which Prometheus wants cumulative, and the
sum in microseconds: many a phase takes less than a millisecond.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Self

from synthetic.operator.resources import Object
from synthetic.operator.status_schema import DURATION_BUCKETS, MAX_COUNT, MAX_STEPS
from synthetic.operator.termination_message import PHASES, StepTimes

RUN_BOUNDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds; another bucket has longer ones
STEP_BOUNDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 5.0)  # of steps and phases
NONE = (0,) * DURATION_BUCKETS


@dataclass(frozen=True, slots=True)
class Histogram:
    """Number of durations by bucket, and their sum in microseconds."""

    counts: tuple[int, ...] = NONE
    sum_us: int = 0

    @classmethod
    def read(cls, numbers: Iterable[str]) -> Self:
        """Parse the numbers of a line; without any, the histogram is empty."""
        *counts, sum_us = map(int, numbers or "0")
        return cls(tuple(counts) or NONE, sum_us)

    def add(self, duration_us: int, bounds: tuple[float, ...]) -> Self:
        """Return the histogram with another duration."""
        place = sum(duration_us > 1_000_000 * bound for bound in bounds)
        count = min(self.counts[place] + 1, MAX_COUNT)
        counts = (*self.counts[:place], count, *self.counts[place + 1 :])
        return type(self)(counts, min(self.sum_us + duration_us, MAX_COUNT))

    def buckets(self, bounds: tuple[float, ...]) -> list[tuple[str, float]]:
        """Return the cumulative buckets as Prometheus names them."""
        return list(zip([*map(str, bounds), "+Inf"], accumulate(self.counts), strict=True))

    @property
    def line(self) -> str:
        """The numbers as the status keeps them."""
        return " ".join(map(str, (*self.counts, self.sum_us)))


Histograms = Mapping[str, Histogram]


@dataclass(frozen=True, slots=True)
class Durations:
    """Histograms of the runs, of their steps by name, and of all requests by phase."""

    runs: Histogram = Histogram()
    steps: Histograms = field(default_factory=dict)
    phases: Histograms = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Object) -> Self:
        """Parse the histograms of a status."""
        return cls(
            Histogram.read(stored.get("runs", "").split()),
            _read(stored.get("steps", [])),
            _read(stored.get("phases", [])),
        )

    def add(self, duration_ms: int, run: Iterable[StepTimes], *, is_complete: bool) -> "Durations":
        """Return the histograms with a run and its steps.

        Of more than ``MAX_STEPS`` names, those that a complete run no longer has go first. A run
        that failed lacks the steps after its failure, and the first ones in a full message.
        """
        steps, phases = dict(self.steps), dict(self.phases)
        latest: set[str] = set()
        for step in run:
            latest.add(step.name)
            _add(steps, step.name, step.duration_us)
            for phase, duration_us in zip(PHASES, step.phases_us, strict=True):
                if duration_us:  # an open connection has neither name resolution nor handshake
                    _add(phases, phase, duration_us)
        gone = [name for name in self.steps if is_complete and name not in latest]
        names = [*(name for name in steps if name not in gone), *gone]
        return Durations(
            self.runs.add(1000 * duration_ms, RUN_BOUNDS),
            {name: steps[name] for name in names[:MAX_STEPS]},
            phases,
        )

    def to_status(self) -> Object:
        """Return the histograms as the status keeps them; empty ones are left out."""
        found = {
            "runs": self.runs.line if self.runs != Histogram() else "",
            "steps": _lines(self.steps),
            "phases": _lines(self.phases),
        }
        return {name: value for name, value in found.items() if value}


def _add(histograms: dict[str, Histogram], name: str, duration_us: int) -> None:
    histograms[name] = histograms.get(name, Histogram()).add(duration_us, STEP_BOUNDS)


def _read(lines: Iterable[str]) -> Histograms:
    return {name: Histogram.read(numbers) for name, *numbers in map(str.split, lines)}


def _lines(histograms: Histograms) -> list[str]:
    return [f"{name} {histogram.line}" for name, histogram in histograms.items()]
