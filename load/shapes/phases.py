"""What a shape is made of: phases, one after the other, each with its rate of arrivals."""

from dataclasses import asdict, dataclass, replace
from typing import Literal

Model = Literal["open", "closed"]
QUIET_RATE = 5.0  # actions a second
QUIET_SECONDS = 10.0
DRAINED_AFTER = 4.0  # seconds that a process needs to report what it saw last


@dataclass(frozen=True)
class Phase:
    """Some seconds, in which the load goes evenly from one value to another.

    The load is a number of actions a second in the open model, of users in the closed one.
    Latencies of a phase that is not ``judged`` are shown, and held against no threshold.
    """

    name: str
    seconds: float
    begin: float
    end: float
    judged: bool = True

    def at(self, second: float) -> float:
        """Return the load so many seconds after the phase began."""
        return self.begin + (self.end - self.begin) * min(1.0, second / self.seconds)


@dataclass(frozen=True)
class Plan:
    """All of a shape's phases, and how its users behave."""

    shape: str
    model: Model
    phases: tuple[Phase, ...]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def highest(self) -> float:
        """The highest load that it asks for."""
        return max(max(phase.begin, phase.end) for phase in self.phases)

    def at(self, second: float) -> tuple[Phase, float] | None:
        """Return the phase and the load at a moment; nothing after the end."""
        for phase in self.phases:
            if second < phase.seconds:
                return phase, phase.at(second)
            second -= phase.seconds
        return None

    def until(self, second: float) -> "Plan":
        """Return what is left of it when it ends early."""
        kept = [
            replace(phase, seconds=min(phase.seconds, second - begin), end=phase.at(second - begin))
            for phase, begin, _ in self.spans()
            if begin < second
        ]
        return replace(self, phases=tuple(kept))

    def spans(self) -> list[tuple[Phase, float, float]]:
        """Return each phase with the seconds at which it begins and ends."""
        spans, begin = [], 0.0
        for phase in self.phases:
            spans.append((phase, begin, begin + phase.seconds))
            begin += phase.seconds
        return spans

    def to_json(self) -> dict[str, object]:
        """Return it as a document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, object]) -> "Plan":
        """Read what ``to_json`` made."""
        phases = document["phases"]
        assert isinstance(phases, list)  # noqa: S101 - we wrote it
        return cls(**{**document, "phases": tuple(Phase(**phase) for phase in phases)})  # type: ignore[arg-type]


def quiet(load: float = QUIET_RATE) -> Phase:
    """Return the phase that every shape begins with: it shows how fast this machine is today."""
    return Phase("quiet", QUIET_SECONDS, load, load)


def steady(name: str, seconds: float, load: float, *, judged: bool = True) -> Phase:
    """Return a phase whose load does not change."""
    return Phase(name, seconds, load, load, judged)
