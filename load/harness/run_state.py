"""State of a run within Locust: each process's own, and on the master the sum of all."""

from dataclasses import dataclass, field
from typing import Any

from load.harness.call_stats import CallStats, Recording
from load.users.dataset import Bounds
from load.users.persona import Persona


@dataclass
class RunState:
    """Recordings, inventory bounds and actions in flight; complete on the master."""

    recording: Recording = field(default_factory=Recording)
    recent: CallStats = field(default_factory=CallStats)  # since the last progress message
    bounds: dict[int, Bounds] = field(default_factory=dict)
    in_flight: dict[str, int] = field(default_factory=dict)  # by worker

    def collect_local(self) -> None:
        """Add the calls of this process."""
        if hasattr(Persona, "api"):
            self.add(Persona.api.recording.drain())
            self.bounds.update(Persona.api.dataset.drain())

    def merge(self, worker: str, data: dict[str, Any]) -> None:
        """Add the report of a worker."""
        self.add(Recording.from_json(data.get("recording", [])))
        self.bounds.update({number: tuple(pair) for number, pair in data.get("bounds", [])})
        self.in_flight[worker] = data.get("in_flight", 0)

    def add(self, recording: Recording) -> None:
        """Add the calls of a recording."""
        self.recording.add(recording)
        for stats in recording.cells.values():
            self.recent.add(stats)

    def total_in_flight(self) -> int:
        """Return the number of actions that have not ended, on all processes."""
        return sum(self.in_flight.values()) + Persona.in_flight


def local_report() -> dict[str, Any]:
    """Return what this worker recorded since its last report to the master."""
    if not hasattr(Persona, "api"):
        return {}
    return {
        "recording": Persona.api.recording.drain().to_json(),
        "bounds": list(Persona.api.dataset.drain().items()),
        "in_flight": Persona.in_flight,
    }


STATE = RunState()
