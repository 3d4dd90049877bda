"""A run that is over: what was planned, what was recorded, what was found afterwards."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from load.harness.recording import NOT_STARTED, Recording
from load.harness.verification import Consistency
from load.shapes.phases import Phase, Plan
from load.users.dataset import Bounds


class OutcomeError(Exception):
    """A saved run cannot be read; the message says why."""


@dataclass
class Outcome:
    """All that is known of a run; it is saved, and compared with later ones."""

    plan: Plan
    began: float  # seconds since the epoch
    run: str
    url: str
    processes: int
    recording: Recording
    bounds: dict[int, Bounds] = field(default_factory=dict)
    consistency: Consistency = field(default_factory=Consistency)
    cost: float = 0.0  # calls a second of one process against a static answer; 0 is not measured

    @property
    def span(self) -> tuple[float, float]:
        """When it began and ended, what was begun within included."""
        return int(self.began), self.began + self.plan.seconds + 60

    def spans(self) -> list[tuple[Phase, float, float]]:
        """Return each phase with its whole seconds since the epoch.

        The second in which a phase begins belongs to nobody: the shape is followed once a second.
        """
        return [
            (phase, int(self.began + begin) + 1, int(self.began + end))
            for phase, begin, end in self.plan.spans()
        ]

    @property
    def quiet(self) -> float:
        """The lower quartile of the operations' medians while it was quiet, in ms.

        Some operations that are slow do not move it; a machine that is slow does.
        """
        _, begin, end = self.spans()[0]
        cells = self.recording.by_operation(begin, end).values()
        medians = sorted(cell.percentile(0.5) for cell in cells if cell.buckets)
        return medians[len(medians) // 4] if medians else 0.0

    def answered(self) -> float:
        """Return the calls that were made for each action that the plan asks for (open model).

        The quiet seconds do not count: in them rows are made ahead.
        """
        asked, made = 0.0, 0
        for phase, begin, end in self.spans()[1:]:
            cell = self.recording.sum(begin, end)
            made += cell.count - cell.outcomes[NOT_STARTED]
            asked += (end - begin) * (phase.begin + phase.end) / 2
        return made / asked if asked else 1.0

    def per_second(self) -> list[float]:
        """Return how many calls were due in each second."""
        counts: dict[int, float] = {}
        for (second, _), cell in self.recording.cells.items():
            counts[second] = counts.get(second, 0) + cell.count
        return [counts[second] for second in sorted(counts)]

    def save(self, path: Path) -> None:
        """Write it to a file."""
        document = {
            **asdict(self),
            "plan": self.plan.to_json(),
            "bounds": list(self.bounds.items()),
            "recording": self.recording.to_json(),
        }
        path.write_text(json.dumps(document))

    @classmethod
    def load(cls, path: Path) -> "Outcome":
        """Read what was saved.

        Raises:
            OutcomeError: the file is not there, or is none of ours.

        """
        try:
            return cls.from_document(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutcomeError(f"{path} is not a saved run: {error!r}") from error

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Outcome":
        """Read what ``save`` writes, or what Locust's process does."""
        read = {
            "plan": Plan.from_json(document["plan"]),
            "recording": Recording.from_json(document["recording"]),
            "bounds": {number: tuple(both) for number, both in document["bounds"]},
            "consistency": Consistency(**document.get("consistency", {})),
        }
        return cls(**{**document, **read})
