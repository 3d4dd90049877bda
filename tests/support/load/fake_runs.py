"""Results of runs that never happened: calls at given seconds with given latencies."""

from typing import Any

from load.harness.call_stats import OK, Recording
from load.harness.run_result import RunResult
from load.harness.verification import Consistency
from load.shapes import build_plan

BEGAN = 1_700_000_000.0


def build_run(shape: str = "steady", **changes: Any) -> RunResult:
    """Return a run in which two operations took 10 ms in every second of the plan."""
    plan = build_plan(shape)
    result = RunResult(
        plan, BEGAN, "load-test", "http://system", 1, Recording(), client_ceiling=10_000.0
    )
    for second in range(int(plan.seconds)):
        current = plan.at(second)
        assert current is not None
        for number in range(round(current[1]) + 1):
            add_call(result, second, ("GET /a", "POST /b")[number % 2], 10)
    result.consistency = Consistency(clients=1, least=5, most=5, listed=5)
    for name, value in changes.items():
        setattr(result, name, value)
    return result


def add_call(
    result: RunResult, second: float, name: str, milliseconds: float, outcome: str = OK
) -> None:
    """Add a call."""
    result.recording.record(BEGAN + second, name, milliseconds, outcome)


def set_latency(result: RunResult, name: str, milliseconds: float) -> None:
    """Change the latency of every call of an operation."""
    for (second, operation), stats in list(result.recording.cells.items()):
        if operation == name:
            count = stats.count
            del result.recording.cells[second, operation]
            for _ in range(count):
                result.recording.record(second, name, milliseconds, OK)
