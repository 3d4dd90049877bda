"""One fault under load: the harm, how long it takes to heal, and the verdict on its history."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.chaos.faults import Fault
from tests.chaos.history import Attempt, BrokenError, Final, Verdict, judge, read
from tests.chaos.load_driver import Crowd
from tests.chaos.system import System

BREATH = 1.0  # seconds of load before a fault, and between two rounds
READY_WITHIN = 10.0  # seconds after the harm
SWEPT_WITHIN = 30.0
LIVES_WITHIN = 1.5  # seconds in which a process says that it lives, whatever is broken

HEADER = (
    f"{'':8}{'fault':30}{'rounds':>7}{'operations':>11}{'lost':>6}{'doubled':>9}{'orphans':>9}"
    f"{'ready in':>10}{'swept in':>10}"
)


@dataclass
class Row:
    """What was seen of one fault."""

    fault: Fault
    rounds: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    ready: float = 0.0  # seconds at most until every service was ready again
    swept: float = 0.0  # seconds at most until the orphans of that moment were gone
    slowest: float = 0.0  # seconds that a call took at most, while there was harm
    late: int = 0  # calls that took longer than the fault's limit

    @property
    def caught(self) -> bool:
        """Whether the history itself shows that something is wrong."""
        return bool(self.verdict.lost or self.verdict.doubled or self.verdict.orphans)

    def __str__(self) -> str:
        """Return the row of the table."""
        v = self.verdict
        many, what = self.fault.counted or (0, "")
        counted = f"  {many * self.rounds:,} {what}" if what else ""
        if self.fault.answers_within:
            limit = self.fault.answers_within
            counted = f"  slowest call {self.slowest:.1f} s, {self.late} took over {limit:.0f} s"
        return (
            f"{'ok' if v.holds else 'BROKEN':8}{self.fault.name:30}{self.rounds:>7}"
            f"{v.operations:>11}{v.lost:>6}{v.doubled:>9}{v.orphans:>9}"
            f"{self.ready:>8.1f} s{self.swept:>8.1f} s{counted}"
        )


class Trial:
    """One fault, and some rounds of it."""

    def __init__(
        self, system: System, fault: Fault, say: Callable[[str], None], *, timed: bool
    ) -> None:
        """Strike ``system`` with ``fault``; how long things take is judged when it is ``timed``."""
        self._system = system
        self._fault = fault
        self._say = say
        self._timed = timed
        book = system.folder / f"{fault.name.replace(' ', '-')}.jsonl"
        self._crowd = Crowd(system, book)
        self._windows: list[tuple[float, float]] = []  # when there was harm
        self._faults: list[str] = []
        self._late: list[str] = []

    def run(self, rounds: int) -> Row:
        """Run it; a round in which something went wrong is the last one, a late one is not."""
        row = Row(self._fault)
        with self._crowd.load():
            self._system.pause(BREATH)
            while row.rounds < rounds and not self._faults:
                row.rounds += 1
                self._round(row)
                times = f"ready in {row.ready:.1f} s, swept in {row.swept:.1f} s at most"
                self._say(f"{self._fault.name}: {row.rounds} of {rounds}, {times}")
                self._system.pause(BREATH)
        self._judge(row)
        return row

    def _round(self, row: Row) -> None:
        before, began = self._ended(), time.monotonic()
        try:
            over = self._fault.strike(self._system, row.rounds - 1, self._crowd)
            ready = self._system.recover(over)
            self._windows.append((began, time.monotonic()))
            swept = self._system.swept(over)
        except (BrokenError, OSError) as error:
            self._faults.append(f"round {row.rounds}: {error}")
            return
        row.ready, row.swept = max(row.ready, ready), max(row.swept, swept)
        if ready > READY_WITHIN or swept > SWEPT_WITHIN:
            self._late.append(f"round {row.rounds}: ready in {ready:.1f} s, swept in {swept:.1f} s")
        if not self._fault.restarts and self._ended() != before:
            self._faults.append(f"round {row.rounds}: processes were started again")

    def _ended(self) -> tuple[set[int], dict[str, int]]:
        """Return what changes when a worker ends, or another part of the system."""
        system = self._system
        workers = {worker.pid for name in system.stack.bases for worker in system.workers(name)}
        return workers, dict(system.revived)

    def _judge(self, row: Row) -> None:
        attempts = list(read(self._crowd.book))
        row.verdict = judge(attempts, self._final())
        row.verdict.faults += self._faults + (self._late if self._timed else [])
        if self._fault.answers_within is not None:
            during = [a for a in attempts if any(b <= a.began <= e for b, e in self._windows)]
            faults = self._slow(row, during, self._fault.answers_within)
            row.verdict.faults += faults if self._timed else []

    def _final(self) -> Final:
        """Read what is there once nothing moves any more."""
        try:
            self._system.swept(time.monotonic())
        except BrokenError as error:
            self._faults.append(f"in the end: {error}")
        return self._crowd.final()

    @staticmethod
    def _slow(row: Row, during: list[Attempt], limit: float) -> list[str]:
        """Say what was answered late, or without a word on when to come back, or not alive."""
        calls = [a for a in during if a.kind != "live"]
        row.slowest = max((a.seconds for a in calls), default=0.0)
        row.late = sum(a.seconds > limit for a in calls)
        silent = sum(a.status == HTTPStatus.SERVICE_UNAVAILABLE and not a.told_when for a in calls)
        looks = [a for a in during if a.kind == "live"]
        dead = sum(a.status != HTTPStatus.OK or a.seconds > LIVES_WITHIN for a in looks)
        told = {
            f"{row.late} of {len(calls)} calls took more than {limit:.0f} s": row.late,
            f"{silent} answers of 503 did not say when to come back": silent,
            f"{dead} of {len(looks)} times a process did not say that it lives": dead,
        }
        return [text for text, count in told.items() if count]
