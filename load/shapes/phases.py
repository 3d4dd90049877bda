"""Phases of a load, each with a rate of arrivals, and the plan that they form."""

from dataclasses import asdict, dataclass, replace
from typing import Literal

Model = Literal["open", "closed"]
BASELINE = "baseline"
BASELINE_RATE = 5.0  # actions a second
BASELINE_SECONDS = 10.0
DRAIN_SECONDS = 4.0  # in which a worker reports its last calls


@dataclass(frozen=True)
class Phase:
    """A period in which the load changes linearly from ``begin`` to ``end``.

    The load is a number of actions a second in the open model, of users in the closed one.
    Latencies of a phase that is not ``judged`` are shown but have no limits.
    """

    name: str
    seconds: float
    begin: float
    end: float
    judged: bool = True

    @property
    def has_limits(self) -> bool:
        """True where latencies are compared with the thresholds; never in the baseline."""
        return self.judged and self.name != BASELINE

    def at(self, second: float) -> float:
        """Return the load at a time after the start of the phase."""
        return self.begin + (self.end - self.begin) * min(1.0, second / self.seconds)


@dataclass(frozen=True)
class Plan:
    """The phases of a shape, and the model of its users."""

    shape: str
    model: Model
    phases: tuple[Phase, ...]

    @property
    def seconds(self) -> float:
        """Total duration."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def peak(self) -> float:
        """Highest load of all phases."""
        return max(max(phase.begin, phase.end) for phase in self.phases)

    def at(self, second: float) -> tuple[Phase, float] | None:
        """Return the phase and the load at a time, or None after the end."""
        for phase in self.phases:
            if second < phase.seconds:
                return phase, phase.at(second)
            second -= phase.seconds
        return None

    def truncated(self, second: float) -> "Plan":
        """Return the plan cut off at a time."""
        kept = [
            replace(phase, seconds=min(phase.seconds, second - begin), end=phase.at(second - begin))
            for phase, begin, _ in self.spans()
            if begin < second
        ]
        return replace(self, phases=tuple(kept))

    def spans(self) -> list[tuple[Phase, float, float]]:
        """Return each phase with the seconds of its begin and its end."""
        spans, begin = [], 0.0
        for phase in self.phases:
            spans.append((phase, begin, begin + phase.seconds))
            begin += phase.seconds
        return spans

    def to_json(self) -> dict[str, object]:
        """Return the plan as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, object]) -> "Plan":
        """Parse the result of ``to_json``."""
        phases = document["phases"]
        assert isinstance(phases, list)  # noqa: S101 - to_json has written it
        return cls(**{**document, "phases": tuple(Phase(**phase) for phase in phases)})  # type: ignore[arg-type]


def baseline(load: float = BASELINE_RATE) -> Phase:
    """Return the first phase of every shape, which measures the latency without load."""
    return Phase(BASELINE, BASELINE_SECONDS, load, load)


def constant(name: str, seconds: float, load: float, *, judged: bool = True) -> Phase:
    """Return a phase of constant load."""
    return Phase(name, seconds, load, load, judged)
