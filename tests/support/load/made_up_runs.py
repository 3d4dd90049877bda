"""Runs made up for a test: calls at given seconds, with given latencies."""

from typing import Any

from load.harness.recording import OK, Recording
from load.harness.run_result import Outcome
from load.harness.verification import Consistency
from load.shapes import plan

BEGAN = 1_700_000_000.0


def made_up(shape: str = "steady", **changes: Any) -> Outcome:
    """Return a run in which two operations took 10 ms in every second of the plan."""
    planned = plan(shape)
    recording = Recording()
    outcome = Outcome(planned, BEGAN, "load-test", "http://system", 1, recording, cost=10_000.0)
    for second in range(int(planned.seconds)):
        now = planned.at(second)
        assert now is not None
        for number in range(round(now[1]) + 1):
            fill(outcome, second, ("GET /a", "POST /b")[number % 2], 10)
    outcome.consistency = Consistency(clients=1, least=5, most=5, listed=5)
    for name, value in changes.items():
        setattr(outcome, name, value)
    return outcome


def fill(outcome: Outcome, second: float, name: str, took: float, kind: str = OK) -> None:
    """Add a call."""
    outcome.recording.note(BEGAN + second, name, took, kind)


def slow_down(outcome: Outcome, name: str, took: float) -> None:
    """Make every call of an operation take so long."""
    for (second, operation), cell in list(outcome.recording.cells.items()):
        if operation == name:
            count = cell.count
            del outcome.recording.cells[second, operation]
            for _ in range(count):
                outcome.recording.note(second, name, took, OK)
