"""The history of a trial, and the verdict on it.

Every attempt is written down with how it went: done, refused, or unknown when no answer tells.
Each adds an element of its own, so that a final read shows what is missing and what is there
twice. An element whose attempts are all unknown may be there or not, but never twice.
"""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path

from tests.chaos.caller import Answer

# what a caller may be answered while something is broken; all else is a fault of its own
NOT_NOW = {0, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
EXPECTED = {*NOT_NOW, *range(200, 300), 304, 404, 409, 412}


class BrokenError(Exception):
    """The system did not recover, or a step of a fault went wrong; the message tells which."""


class Outcome(StrEnum):
    """How an attempt went."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Attempt:
    """One request that tried to do one thing."""

    kind: str
    element: str
    outcome: Outcome
    status: int
    began: float
    seconds: float
    told_when: bool  # a 503 said when to come back

    @classmethod
    def of(cls, kind: str, element: object, answer: Answer) -> "Attempt":
        """Return the attempt that was answered so."""
        if answer.is_success:
            outcome = Outcome.OK
        elif answer.status in NOT_NOW or answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            outcome = Outcome.UNKNOWN
        else:
            outcome = Outcome.FAILED
        told_when = answer.headers.get("retry-after", "").isdecimal()
        return cls(
            kind, str(element), outcome, answer.status, answer.began, answer.seconds, told_when
        )


class Book:
    """A file to which threads write their attempts; it is whole up to its last line."""

    def __init__(self, path: Path) -> None:
        """Add to ``path``."""
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def note(self, kind: str, element: object, answer: Answer) -> Attempt:
        """Write an attempt down, and return it."""
        attempt = Attempt.of(kind, element, answer)
        with self._lock:
            self._file.write(json.dumps(asdict(attempt)) + "\n")
        return attempt

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(path: Path) -> Iterator[Attempt]:
    """Return what a book holds; a last line that was cut off is none."""
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            values = json.loads(line)
            yield Attempt(**{**values, "outcome": Outcome(values["outcome"])})


@dataclass
class Final:
    """What is there in the end."""

    found: Counter[tuple[str, str]]  # how often the effect of each kind's element is there
    sums: dict[str, int]  # by counter, what its increments have added up to
    orphans: int = 0  # inventory entries of clients or products that are gone


@dataclass
class Verdict:
    """What the history shows."""

    operations: int = 0
    lost: int = 0
    doubled: int = 0
    orphans: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything is as it was promised."""
        return not (self.lost or self.doubled or self.orphans or self.faults)


SETS = {"client", "address", "purchase", "deletion", "edit"}  # an element of these is there or not
COUNTERS = {"increment"}  # an element of these is a number that its attempts add to


def judge(attempts: Iterable[Attempt], final: Final) -> Verdict:
    """Compare a history with what is there in the end."""
    verdict = Verdict(orphans=final.orphans)
    outcomes: dict[tuple[str, str], Counter[Outcome]] = defaultdict(Counter)
    strange: Counter[tuple[str, int]] = Counter()
    for attempt in attempts:
        verdict.operations += 1
        outcomes[attempt.kind, attempt.element][attempt.outcome] += 1
        if attempt.status not in EXPECTED:
            strange[attempt.kind, attempt.status] += 1
    for (kind, element), counts in outcomes.items():
        if kind in SETS:
            _judge_element(verdict, kind, element, counts, final.found[kind, element])
        elif kind in COUNTERS:
            _judge_counter(verdict, counts, final.sums.get(element, 0))
    verdict.faults += [
        f"{count} x {kind} answered {status}" for (kind, status), count in sorted(strange.items())
    ]
    return verdict


def _judge_element(
    verdict: Verdict, kind: str, element: str, counts: Counter[Outcome], found: int
) -> None:
    if counts[Outcome.OK] and not found:
        verdict.lost += 1
    if found > 1:
        verdict.doubled += found - 1
    refused = not counts[Outcome.OK] and not counts[Outcome.UNKNOWN]
    if refused and found and kind != "deletion":  # what is not there may have been deleted before
        verdict.faults.append(f"{kind} {element} was refused and is there")


def _judge_counter(verdict: Verdict, counts: Counter[Outcome], total: int) -> None:
    done, unknown = counts[Outcome.OK], counts[Outcome.UNKNOWN]
    verdict.lost += max(0, done - total)
    verdict.doubled += max(0, total - done - unknown)
