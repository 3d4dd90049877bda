"""`make chaos`: breaks the running system on purpose, and checks that what it promises holds."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import psutil

from scripts.chaos import broken
from scripts.chaos.broken import Variant
from scripts.chaos.conductor import BrokenError, System
from scripts.chaos.faults import FAULTS, Fault
from scripts.chaos.history import Attempt, Verdict, judge, read

BREATH = 1.0  # seconds of load before a fault, and between two rounds
SELFTEST_ROUNDS = 3
LATE = 0.01  # the share of calls that may be answered later than a fault's limit
LIVES_WITHIN = 1.5  # seconds in which a process says that it lives, whatever is broken


@dataclass
class Row:
    """What was seen of one fault."""

    name: str
    rounds: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    slowest: float = 0.0  # seconds to heal

    @property
    def caught(self) -> bool:
        """Whether the history itself shows that something is wrong."""
        return bool(self.verdict.lost or self.verdict.doubled or self.verdict.orphans)

    def __str__(self) -> str:
        """Return the row of the table."""
        v = self.verdict
        return (
            f"{'ok' if v.holds else 'BROKEN':8}{self.name:30}{self.rounds:>7}{v.operations:>11}"
            f"{v.lost:>6}{v.doubled:>9}{v.orphans:>9}{self.slowest:>9.1f} s"
        )


HEADER = (
    f"{'':8}{'fault':30}{'rounds':>7}{'operations':>11}{'lost':>6}{'doubled':>9}{'orphans':>9}"
    f"{'healed in':>11}"
)


class Trial:
    """One fault, some rounds of it under load, and the verdict on all of them."""

    def __init__(self, system: System, fault: Fault, book: Path, *, timed: bool) -> None:
        """Strike ``system`` with ``fault``, and keep the history in ``book``."""
        self._timed = timed
        self._system = system
        self._fault = fault
        self._book = book
        self._windows: list[tuple[float, float]] = []
        self._faults: list[str] = []
        self._late: list[str] = []

    def run(self, rounds: int) -> Row:
        """Run it; a round in which something went wrong is the last one, a late one is not."""
        row = Row(self._fault.name)
        with self._system.load(self._book):
            self._system.pause(BREATH)
            for number in range(rounds):
                row.rounds += 1
                row.slowest = max(row.slowest, self._strike(number))
                say(f"{row.name}: {row.rounds} of {rounds}, healed in {row.slowest:.1f} s at most")
                if self._faults:
                    break
                self._system.pause(BREATH)
        row.verdict = self._judge()
        return row

    def _strike(self, number: int) -> float:
        before = self._processes()
        began = time.monotonic()
        try:
            seconds = self._fault.strike(self._system, number, self._book)
        except (BrokenError, OSError) as error:
            self._faults.append(f"round {number + 1}: {error}")
            return 0.0
        self._windows.append((began, time.monotonic()))
        if seconds > self._fault.heals_within:
            self._late.append(f"round {number + 1} healed in {seconds:.1f} s")
        if not self._fault.restarts and self._processes() != before:
            self._faults.append(f"round {number + 1}: processes were started again")
        return seconds

    def _processes(self) -> set[int]:
        return {
            worker.pid for name in self._system.stack.bases for worker in self._system.workers(name)
        }

    def _judge(self) -> Verdict:
        self._system.swept()
        attempts = list(read(self._book))
        verdict = judge(attempts, self._system.final())
        verdict.faults += self._faults + (self._late if self._timed else [])
        if self._timed and self._fault.answers_within is not None:
            verdict.faults += self._slow(attempts, self._fault.answers_within)
        return verdict

    def _slow(self, attempts: list[Attempt], limit: float) -> Iterator[str]:
        """Say what was answered late, or without a word on when to come back, or not alive."""
        during = [a for a in attempts if any(b <= a.began <= e for b, e in self._windows)]
        calls = [a for a in during if a.kind != "live"]
        late = [a.seconds for a in calls if a.seconds > limit]
        if len(late) > LATE * len(calls):
            share = f"{len(late)} of {len(calls)} calls"
            yield f"{share} took more than {limit:.0f} s, up to {max(late):.1f} s"
        silent = [
            a for a in calls if a.status == HTTPStatus.SERVICE_UNAVAILABLE and not a.told_when
        ]
        if silent:
            yield f"{len(silent)} answers of 503 did not say when to come back"
        looks = [a for a in during if a.kind == "live"]
        dead = [a for a in looks if a.status != HTTPStatus.OK or a.seconds > LIVES_WITHIN]
        if dead:
            yield f"{len(dead)} of {len(looks)} times a process did not say that it lives"


def main() -> int:
    """Run the faults, print the table, and return 1 when a promise was broken."""
    options = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(130))
    if options.selftest:
        return selftest(min(options.rounds, SELFTEST_ROUNDS))
    words = options.only.lower().split(",")
    chosen = [f for f in FAULTS if any(word in f.name.lower() for word in words)]
    rows: list[Row] = []
    print(HEADER, flush=True)
    with running() as system:
        for fault in chosen:
            rows.append(run(system, fault, options.rounds, timed=not options.untimed))
            told = [f"{'':8}{reason}" for reason in rows[-1].verdict.faults]
            print("\n".join([str(rows[-1]), *told]), flush=True)
    left = psutil.Process().children(recursive=True)
    if left:
        print(f"processes are left: {[p.pid for p in left]}")
    return 0 if all(row.verdict.holds for row in rows) and not left else 1


def selftest(rounds: int) -> int:
    """Try each broken variant with the fault that must catch it; return 1 when one gets away."""
    rows: list[tuple[Variant, Row]] = []
    for variant in broken.variants():
        say(f"self-test: {variant.name}")
        fault = next(fault for fault in FAULTS if fault.name == variant.caught_by)
        with running(variant) as system:
            rows.append((variant, run(system, fault, rounds)))
    print(HEADER)
    for variant, row in rows:
        print(f"{row}  {'caught' if row.caught else 'NOT CAUGHT'}: {variant.name}")
    caught = sum(row.caught for _, row in rows)
    print(f"self-test: {caught} of {len(rows)} broken variants caught")
    return 0 if caught == len(rows) else 1


def run(system: System, fault: Fault, rounds: int, *, timed: bool = True) -> Row:
    """Try one fault; what takes too long is a fault of its own when it is ``timed``."""
    book = system.folder / f"{fault.name.replace(' ', '-')}.jsonl"
    return Trial(system, fault, book, timed=timed).run(rounds)


@contextmanager
def running(variant: Variant | None = None) -> Iterator[System]:
    """Run a system, or a broken variant of it, in a folder of its own, and leave neither behind."""
    folder = Path(tempfile.mkdtemp(prefix="cadastro-chaos-"))
    folder.chmod(0o711)  # the database's own account passes through
    system = System(folder, say)
    try:
        with broken.installed(variant, folder / "variant") if variant else nullcontext():
            system.start()
            yield system
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)


def say(text: str) -> None:
    """Show progress."""
    print(f"chaos: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=__doc__,
        epilog="Exit codes: 0 everything holds, 1 something does not.",
    )
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each fault (20)")
    parser.add_argument(
        "--only", default="", metavar="WORD,...", help="only faults with a word in their name"
    )
    parser.add_argument(
        "--untimed", action="store_true", help="do not judge how long things took: a busy machine"
    )
    parser.add_argument(
        "--selftest", action="store_true", help="show that broken variants of the system are caught"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
