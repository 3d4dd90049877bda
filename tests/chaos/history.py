"""History of an experiment, and its check against the final state of the databases.

Each attempt is logged as done, refused or, without a conclusive response, unknown. Each attempt
adds a distinct element, so that the final state shows lost and duplicated writes. An element with
only unknown attempts may be present or absent, but never twice.
"""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path

from tests.support.http_caller import NO_RESPONSE, Response

# responses that are expected while a fault is active; every other status is a violation
TRANSIENT = {
    NO_RESPONSE,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
EXPECTED = {*TRANSIENT, *range(200, 300), 304, 404, 409, 412}


class Outcome(StrEnum):
    """The outcome of an attempt."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Attempt:
    """One request for one element."""

    kind: str
    element: str
    outcome: Outcome
    status: int
    started: float  # seconds on the monotonic clock
    seconds: float
    has_retry_after: bool

    @classmethod
    def from_response(cls, kind: str, element: object, response: Response) -> "Attempt":
        """Return the attempt that got this response."""
        if response.is_success:
            outcome = Outcome.OK
        elif response.status in {*TRANSIENT, HTTPStatus.INTERNAL_SERVER_ERROR}:
            outcome = Outcome.UNKNOWN
        else:
            outcome = Outcome.FAILED
        return cls(
            kind=kind,
            element=str(element),
            outcome=outcome,
            status=response.status,
            started=response.started,
            seconds=response.seconds,
            has_retry_after=response.headers.get("retry-after", "").isdecimal(),
        )


class HistoryLog:
    """A file to which threads append attempts; only its last line can be incomplete."""

    def __init__(self, path: Path) -> None:
        """Append to ``path``."""
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def record(self, kind: str, element: object, response: Response) -> Attempt:
        """Append an attempt, and return it."""
        attempt = Attempt.from_response(kind, element, response)
        with self._lock:
            self._file.write(json.dumps(asdict(attempt)) + "\n")
        return attempt

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(path: Path) -> Iterator[Attempt]:
    """Yield the attempts of a log; an incomplete last line is skipped."""
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            values = json.loads(line)
            yield Attempt(**{**values, "outcome": Outcome(values["outcome"])})


@dataclass
class FinalState:
    """The effects that are present after an experiment."""

    found: Counter[tuple[str, str]]  # effects by kind and element
    sums: dict[str, int]  # the value of each counter
    orphans: int = 0  # inventory entries of deleted clients and products


@dataclass
class Verdict:
    """The result of a check."""

    operations: int = 0
    lost: int = 0
    duplicated: int = 0
    orphans: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True if every guarantee holds."""
        return not (self.lost or self.duplicated or self.orphans or self.violations)


SETS = {"client", "address", "purchase", "deletion", "edit"}  # their elements are present or absent
COUNTERS = {"increment"}  # their elements are numbers


def check_history(attempts: Iterable[Attempt], final: FinalState) -> Verdict:
    """Compare a history with the final state."""
    verdict = Verdict(orphans=final.orphans)
    outcomes: dict[tuple[str, str], Counter[Outcome]] = defaultdict(Counter)
    unexpected: Counter[tuple[str, int]] = Counter()
    for attempt in attempts:
        verdict.operations += 1
        outcomes[attempt.kind, attempt.element][attempt.outcome] += 1
        if attempt.status not in EXPECTED:
            unexpected[attempt.kind, attempt.status] += 1
    for (kind, element), counts in outcomes.items():
        if kind in SETS:
            _check_element(verdict, kind, element, counts, final.found[kind, element])
        elif kind in COUNTERS:
            _check_counter(verdict, counts, final.sums.get(element, 0))
    verdict.violations += [
        f"{count} x {kind} answered {status}"
        for (kind, status), count in sorted(unexpected.items())
    ]
    return verdict


def _check_element(
    verdict: Verdict, kind: str, element: str, counts: Counter[Outcome], found: int
) -> None:
    if counts[Outcome.OK] and not found:
        verdict.lost += 1
    if found > 1:
        verdict.duplicated += found - 1
    refused = not counts[Outcome.OK] and not counts[Outcome.UNKNOWN]
    if refused and found and kind != "deletion":  # another attempt may have deleted the client
        verdict.violations.append(f"{kind} {element} was refused and is there")


def _check_counter(verdict: Verdict, counts: Counter[Outcome], total: int) -> None:
    done, unknown = counts[Outcome.OK], counts[Outcome.UNKNOWN]
    verdict.lost += max(0, done - total)
    verdict.duplicated += max(0, total - done - unknown)
