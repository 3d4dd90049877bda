"""Steps of a system test: progress, failures, waits and a table of results."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

POLL_INTERVAL_SECONDS = 0.5


class StepFailed(Exception):
    """A step did not see the expected result."""

    status: ClassVar[str] = "MISS"


class TooSlow(StepFailed):
    """A step succeeded after its time limit; later steps can build on it."""

    status = "LATE"


class RequestsFailed(StepFailed):
    """Requests failed during a step that succeeded; later steps can build on it."""

    status = "COST"


@dataclass(frozen=True)
class StepResult:
    """The outcome of one step."""

    status: str  # ok, or that of the failure
    name: str
    detail: str
    seconds: float

    @property
    def is_ok(self) -> bool:
        """True if the step succeeded."""
        return self.status == "ok"


class Progress:
    """Progress messages of a program, on standard error."""

    def __init__(self, program: str) -> None:
        """Start every line with the name of the program."""
        self._program = program

    def __call__(self, text: str) -> None:
        """Write one line."""
        print(f"{self._program}: {text}", file=sys.stderr, flush=True)


class StepRunner:
    """Runs steps one after the other and keeps their results."""

    def __init__(self, report: Callable[[str], None], *failures: type[Exception]) -> None:
        """Record ``failures`` like ``StepFailed``; every other exception ends the run."""
        self.results: list[StepResult] = []
        self._report = report
        self._failures: tuple[type[Exception], ...] = (StepFailed, *failures)

    def run(self, name: str, step: Callable[[], str], position: str = "") -> StepResult:
        """Run a step, which returns its detail, and record its result."""
        self._report(f"{position}{name} ...")
        started = time.monotonic()
        try:
            status, detail = "ok", step()
        except self._failures as error:
            status = error.status if isinstance(error, StepFailed) else StepFailed.status
            detail = str(error) or repr(error)
        result = StepResult(status, name, detail, time.monotonic() - started)
        self._report(f"{result.status}, {result.seconds:.0f} s: {result.detail}")
        self.results.append(result)
        return result

    @property
    def all_ok(self) -> bool:
        """True if every step succeeded."""
        return all(result.is_ok for result in self.results)


def check(condition: object, message: str) -> None:
    """Raise ``StepFailed`` unless the condition holds."""
    if not condition:
        raise StepFailed(message)


def wait_until(
    condition: Callable[[], object],
    timeout: float,
    message: str | Callable[[], str],
    interval: float = POLL_INTERVAL_SECONDS,
) -> float:
    """Wait for a condition, and return the seconds that passed.

    Raises:
        StepFailed: the condition does not hold after ``timeout`` seconds.

    """
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout:
            text = message if isinstance(message, str) else message()
            raise StepFailed(f"after {timeout:.0f} s: {text}")
        time.sleep(interval)
    return time.monotonic() - started
