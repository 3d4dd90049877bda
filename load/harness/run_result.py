"""Result of a run: its plan, its recording, and the consistency of the data afterwards."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from load.harness.call_stats import NOT_STARTED, Recording
from load.harness.verification import Consistency
from load.shapes.phases import Phase, Plan
from load.users.dataset import Bounds

DRAIN_SECONDS = 60  # after the plan's end, in which the last calls end


class RunResultError(Exception):
    """A saved run cannot be read; the message gives the reason."""


@dataclass
class RunResult:
    """A finished run, which is saved and compared with later ones."""

    plan: Plan
    began: float  # seconds since the epoch
    run: str  # its id
    url: str
    processes: int
    recording: Recording
    bounds: dict[int, Bounds] = field(default_factory=dict)
    consistency: Consistency = field(default_factory=Consistency)
    client_ceiling: float = 0.0  # calls a second of one process; 0 where not measured

    @property
    def span(self) -> tuple[float, float]:
        """Begin and end in seconds since the epoch, including the last calls."""
        return int(self.began), self.began + self.plan.seconds + DRAIN_SECONDS

    def spans(self) -> list[tuple[Phase, float, float]]:
        """Return each phase with its whole seconds since the epoch.

        The second in which a phase begins counts for none: Locust reads the shape once a second.
        """
        return [
            (phase, int(self.began + begin) + 1, int(self.began + end))
            for phase, begin, end in self.plan.spans()
        ]

    @property
    def baseline_latency(self) -> float:
        """The lower quartile of the operations' medians in the baseline phase, in ms.

        A slow machine raises it; a few slow operations do not.
        """
        _, begin, end = self.spans()[0]
        operations = self.recording.by_operation(begin, end).values()
        medians = sorted(stats.percentile(0.5) for stats in operations if stats.buckets)
        return medians[len(medians) // 4] if medians else 0.0

    def calls_per_arrival(self) -> float:
        """Return the calls for each planned action (open model), without the baseline phase."""
        planned, calls = 0.0, 0
        for phase, begin, end in self.spans()[1:]:
            stats = self.recording.sum(begin, end)
            calls += stats.count - stats.outcomes[NOT_STARTED]
            planned += (end - begin) * (phase.begin + phase.end) / 2
        return calls / planned if planned else 1.0

    def calls_per_second(self) -> list[float]:
        """Return the number of calls that were scheduled in each second."""
        counts: dict[int, float] = {}
        for (second, _), stats in self.recording.cells.items():
            counts[second] = counts.get(second, 0) + stats.count
        return [counts[second] for second in sorted(counts)]

    def save(self, path: Path) -> None:
        """Write the result to a file."""
        fields = asdict(self)
        document = {
            "cost": fields.pop("client_ceiling"),
            **fields,
            "plan": self.plan.to_json(),
            "bounds": list(self.bounds.items()),
            "recording": self.recording.to_json(),
        }
        path.write_text(json.dumps(document))

    @classmethod
    def load(cls, path: Path) -> "RunResult":
        """Read a saved result.

        Raises:
            RunResultError: the file does not exist, or is not a saved run.

        """
        try:
            return cls.from_json(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunResultError(f"{path} is not a saved run: {error!r}") from error

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "RunResult":
        """Parse a saved result, or the one that the locustfile writes."""
        fields = dict(document)
        return cls(
            **{
                "client_ceiling": fields.pop("cost", 0.0),
                **fields,
                "plan": Plan.from_json(document["plan"]),
                "recording": Recording.from_json(document["recording"]),
                "bounds": {number: tuple(pair) for number, pair in document["bounds"]},
                "consistency": Consistency(**document.get("consistency", {})),
            }
        )
