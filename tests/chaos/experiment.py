"""One fault under load: its injection, the recovery, and the check of its history."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.chaos.faults import Fault
from tests.chaos.history import Attempt, FinalState, Verdict, check_history, read
from tests.chaos.load_driver import LoadDriver
from tests.chaos.system import SystemUnderTest
from tests.support.steps import StepFailed

SETTLE_SECONDS = 1.0  # of load before a fault, and between two rounds
RECOVERY_LIMIT_SECONDS = 10.0  # after the fault
CONVERGENCE_LIMIT_SECONDS = 30.0
LIVENESS_LIMIT_SECONDS = 1.5  # of a liveness check, under any fault

HEADER = (
    f"{'':8}{'fault':30}{'rounds':>7}{'operations':>11}{'lost':>6}{'duplicates':>12}{'orphans':>9}"
    f"{'recovered':>11}{'converged':>11}"
)


@dataclass
class Row:
    """The results of one fault."""

    fault: Fault
    rounds: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    recovered: float = 0.0  # seconds until every service was ready, at most
    converged: float = 0.0  # seconds until the orphans of that time were removed, at most
    slowest: float = 0.0  # seconds of the slowest request during the fault
    late: int = 0  # requests that took longer than the limit of the fault

    @property
    def is_caught(self) -> bool:
        """True if the history shows lost, duplicated or orphaned data."""
        return bool(self.verdict.lost or self.verdict.duplicated or self.verdict.orphans)

    def __str__(self) -> str:
        """Return the row of the table."""
        v = self.verdict
        return (
            f"{'ok' if v.holds else 'BROKEN':8}{self.fault.name:30}{self.rounds:>7}"
            f"{v.operations:>11}{v.lost:>6}{v.duplicated:>12}{v.orphans:>9}"
            f"{self.recovered:>9.1f} s{self.converged:>9.1f} s{self._remark()}"
        )

    def _remark(self) -> str:
        if limit := self.fault.request_limit:
            return f"  slowest call {self.slowest:.1f} s, {self.late} took over {limit:.0f} s"
        if self.fault.counted:
            count, what = self.fault.counted
            return f"  {count * self.rounds:,} {what}"
        return ""


class Experiment:
    """Some rounds of one fault."""

    def __init__(
        self, system: SystemUnderTest, fault: Fault, report: Callable[[str], None], *, timed: bool
    ) -> None:
        """Inject ``fault`` into ``system``; check time limits if ``timed``."""
        self._system = system
        self._fault = fault
        self._report = report
        self._timed = timed
        history = system.folder / f"{fault.name.replace(' ', '-')}.jsonl"
        self._driver = LoadDriver(system, history)
        self._windows: list[tuple[float, float]] = []  # times from injection to recovery
        self._violations: list[str] = []
        self._delays: list[str] = []

    def run(self, rounds: int) -> Row:
        """Run the rounds; stop after the first one with a violation, but not after a late one."""
        row = Row(self._fault)
        with self._driver.load():
            self._system.pause(SETTLE_SECONDS)
            while row.rounds < rounds and not self._violations:
                row.rounds += 1
                self._run_round(row)
                times = (
                    f"at most {row.recovered:.1f} s to recover, {row.converged:.1f} s to converge"
                )
                self._report(f"{self._fault.name}: {row.rounds} of {rounds}, {times}")
                self._system.pause(SETTLE_SECONDS)
        self._check(row)
        return row

    def _run_round(self, row: Row) -> None:
        before, started = self._process_identity(), time.monotonic()
        try:
            ended = self._fault.inject(self._system, row.rounds - 1, self._driver)
            recovered = self._system.wait_recovered(ended)
            self._windows.append((started, time.monotonic()))
            converged = self._system.wait_converged(ended)
        except (StepFailed, OSError) as error:
            self._violations.append(f"round {row.rounds}: {error}")
            return
        row.recovered = max(row.recovered, recovered)
        row.converged = max(row.converged, converged)
        if recovered > RECOVERY_LIMIT_SECONDS or converged > CONVERGENCE_LIMIT_SECONDS:
            times = f"recovered in {recovered:.1f} s, converged in {converged:.1f} s"
            self._delays.append(f"round {row.rounds}: {times}")
        if not self._fault.restarts and self._process_identity() != before:
            self._violations.append(f"round {row.rounds}: processes were restarted")

    def _process_identity(self) -> tuple[set[int], dict[str, int]]:
        """Return a value that changes when a worker or another part of the system exits."""
        system = self._system
        workers = {worker.pid for name in system.stack.bases for worker in system.workers(name)}
        return workers, dict(system.restarts)

    def _check(self, row: Row) -> None:
        attempts = list(read(self._driver.history))
        row.verdict = check_history(attempts, self._final_state())
        row.verdict.violations += self._violations + (self._delays if self._timed else [])
        if self._fault.request_limit is not None:
            during = [a for a in attempts if any(b <= a.started <= e for b, e in self._windows)]
            violations = _check_latency(row, during, self._fault.request_limit)
            row.verdict.violations += violations if self._timed else []

    def _final_state(self) -> FinalState:
        """Return the final state, after the orphans were removed."""
        try:
            self._system.wait_converged(time.monotonic())
        except StepFailed as error:
            self._violations.append(f"in the end: {error}")
        return self._driver.final_state()


def _check_latency(row: Row, during: list[Attempt], limit: float) -> list[str]:
    """Return violations: late responses, 503 without Retry-After, failed liveness checks."""
    calls = [a for a in during if a.kind != "live"]
    row.slowest = max((a.seconds for a in calls), default=0.0)
    row.late = sum(a.seconds > limit for a in calls)
    unavailable = [a for a in calls if a.status == HTTPStatus.SERVICE_UNAVAILABLE]
    without_header = sum(not a.has_retry_after for a in unavailable)
    checks = [a for a in during if a.kind == "live"]
    dead = sum(a.status != HTTPStatus.OK or a.seconds > LIVENESS_LIMIT_SECONDS for a in checks)
    counts = {
        f"{row.late} of {len(calls)} calls took more than {limit:.0f} s": row.late,
        f"{without_header} responses with 503 had no Retry-After": without_header,
        f"{dead} of {len(checks)} liveness checks failed": dead,
    }
    return [text for text, count in counts.items() if count]
