"""Runs and statuses of the locations of a monitor."""

from collections.abc import Iterator
from contextlib import contextmanager

from synthetic.operator.conditions import condition
from synthetic.operator.resources import JOBS, Object
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

PASSED = termination_message("passed")
FAILED = termination_message("failed", reason="http_status", status=503)


def places(*names: str) -> list[Object]:
    """Return the locations of a spec."""
    return [{"name": name} for name in names]


def finish(harness: OperatorHarness, location: str, results: str, first: int = 0) -> None:
    """End a run a minute at a location: p passed, f failed."""
    for minute, letter in enumerate(results, first):
        passed = letter == "p"
        harness.finish_run(
            f"{location}-{minute:02d}",
            PASSED if passed else FAILED,
            ended="Complete" if passed else "Failed",
            minute=minute,
            location=location,
        )


def entries(harness: OperatorHarness) -> dict[str, Object]:
    """Return the entries of the status by location."""
    return {each["name"]: each for each in harness.status.get("locations", [])}


def states(harness: OperatorHarness) -> dict[str, tuple[str, str]]:
    """Return status and reason of the condition Healthy of each location."""
    found = {name: condition(each, "Healthy") for name, each in entries(harness).items()}
    return {name: (each["status"], each["reason"]) for name, each in found.items()}


@contextmanager
def active_run(harness: OperatorHarness) -> Iterator[None]:
    """Let the only Job run again while the block runs."""
    (job,) = harness.cluster.list_kind(JOBS.plural)
    ended = job["status"]
    harness.change(JOBS, {**job, "status": {"active": 1}}, "status")
    yield
    harness.change(JOBS, {**job, "status": ended}, "status")
