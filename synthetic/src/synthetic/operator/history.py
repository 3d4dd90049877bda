"""History of a monitor's runs: totals, time windows and the last runs, as kept in the status.

A bucket of the status is ``2026-01-31T10 12 1 0``: the hour, then passed, failed and other runs.
A monitor with locations has a history of each location beside the one of all its runs. The windows
of the latter count verdicts: a run is failed if with it at least ``quorum`` locations fail.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from synthetic.operator.durations import Durations
from synthetic.operator.failures import Failures, add_failure
from synthetic.operator.incident import Incident, Incidents
from synthetic.operator.resources import Object
from synthetic.operator.run_record import MAINTENANCE, OUTAGE, TOLERATED, RunRecord
from synthetic.operator.run_result import FAILED, PASSED, RESULTS, Run
from synthetic.operator.status_schema import MAX_COUNT, TIMESTAMP_FORMAT

MAX_RUNS = 90  # in the status
MAX_LOCATION_RUNS = 60  # of a location in the status: an hour at one run a minute
MAX_HOURS, MAX_DAYS = 25, 31  # buckets in the status
MAX_BUCKET_COUNT = 999_999_999
UID_PREFIX_LENGTH = 18  # enough to distinguish the Jobs of one monitor
MAX_DETAIL_LENGTH = 80  # characters of a run's detail
HOUR_FORMAT, DAY_FORMAT = "%Y-%m-%dT%H", "%Y-%m-%d"

Counts = tuple[int, int, int]  # passed, failed, other


@dataclass(frozen=True)
class History:
    """Totals, windows and last runs of one monitor, or of one of its locations."""

    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RESULTS, 0))
    retried: int = 0
    in_maintenance: int = 0  # runs in maintenance windows; nothing else counts them
    consecutive_failures: int = 0
    last_success: str = ""
    hours: dict[str, Counts] = field(default_factory=dict)
    days: dict[str, Counts] = field(default_factory=dict)
    own_runs: tuple[RunRecord, ...] = ()  # without those of locations
    counted: frozenset[str] = frozenset()
    failures: Failures = ()
    reasons: dict[str, int] = field(default_factory=dict)  # of the failures since the creation
    durations: Durations = field(default_factory=Durations)
    certificate_expiry: str = ""
    incidents: Incidents = ()  # as `incident_tracker` leaves them
    locations: dict[str, "History"] = field(default_factory=dict)
    quorum: int = 1  # failing locations that make a run count as failed

    @classmethod
    def read(cls, status: Object, location: str = "") -> Self:
        """Parse the history of a monitor's status, or of a location's entry."""
        totals = status.get("totals", {})
        windows = status.get("windows", {})
        return cls(
            totals={result: totals.get(result, 0) for result in RESULTS},
            retried=totals.get("passedAfterRetry", 0),
            in_maintenance=totals.get("maintenance", 0),
            consecutive_failures=status.get("consecutiveFailures", 0),
            last_success=status.get("lastSuccessTime", ""),
            hours=_read_buckets(windows.get("hours", [])),
            days=_read_buckets(windows.get("days", [])),
            own_runs=tuple(RunRecord.read(line, location) for line in status.get("runs", [])),
            counted=frozenset(status.get("counted", [])),
            failures=tuple(status.get("failures", [])),
            reasons=status.get("failureReasons", {}),
            durations=Durations.read(status.get("durations", {})),
            certificate_expiry=status.get("certificateExpiry", ""),
            incidents=tuple(map(Incident.read, status.get("incidents", []))),
            locations={
                entry["name"]: cls.read(entry, entry["name"])
                for entry in reversed(status.get("locations", []))
            },
        )

    def located(self, names: Iterable[str], quorum: int) -> "History":
        """Return the history with exactly these locations, of which ``quorum`` make a failure."""
        kept = {name: self.locations.get(name, History()) for name in names}
        return replace(self, locations=kept, quorum=quorum)

    @property
    def all_runs(self) -> tuple[RunRecord, ...]:
        """The runs of the monitor and of its locations by their start, the oldest first."""
        if not self.locations:
            return self.own_runs
        located = (run for each in self.locations.values() for run in each.own_runs)
        return tuple(sorted([*self.own_runs, *located], key=lambda run: run.at))

    @property
    def runs(self) -> tuple[RunRecord, ...]:
        """The last of all runs, the oldest first."""
        return self.all_runs[-MAX_RUNS:]

    def is_counted(self, uid: str) -> bool:
        """Return whether a Job's run is already counted."""
        return uid[:UID_PREFIX_LENGTH] in self.counted

    def count(self, runs: Iterable[Run], existing: Iterable[str]) -> "History":
        """Add uncounted runs, and drop the uids of Jobs that are not in ``existing``."""
        history = self
        for run in sorted(runs, key=lambda run: run.finished_at):
            if not history.is_counted(run.uid):
                history = history._add_run(run)
        return replace(
            history, counted=history.counted & {uid[:UID_PREFIX_LENGTH] for uid in existing}
        )

    def _add_run(self, run: Run) -> "History":
        location = self.locations.get(run.location)
        if location is None:
            return self.count_run(replace(run, location=""), run.result)
        verdict = self._verdict(run)
        located = {**self.locations, run.location: location.count_run(run, verdict)}
        counted = self.count_run(run, verdict)
        return replace(counted, own_runs=self.own_runs, locations=located)

    def _verdict(self, run: Run) -> str:
        """Return the result that the uptime counts: with the run, ``quorum`` locations fail."""
        if run.result not in {PASSED, FAILED}:
            return run.result
        others = (each for name, each in self.locations.items() if name != run.location)
        failing = sum(each.consecutive_failures > 0 for each in others)
        return FAILED if failing + (run.result == FAILED) >= self.quorum else PASSED

    def count_run(self, run: Run, verdict: str) -> "History":
        """Add a run; the windows count ``verdict`` instead of its result."""
        history = self if run.maintenance else self._count_result(run, verdict)
        limit = MAX_LOCATION_RUNS if run.location else MAX_RUNS
        return replace(
            history,
            in_maintenance=_increment(self.in_maintenance)
            if run.maintenance
            else self.in_maintenance,
            own_runs=(*self.own_runs, _record(run, verdict))[-limit:],
            counted=self.counted | {run.uid[:UID_PREFIX_LENGTH]},
        )

    def _count_result(self, run: Run, verdict: str) -> "History":
        consecutive = {PASSED: 0, FAILED: _increment(self.consecutive_failures)}
        passed = run.result == PASSED
        return replace(
            self,
            totals={**self.totals, run.result: _increment(self.totals[run.result])},
            retried=_increment(self.retried) if passed and run.attempt > 1 else self.retried,
            consecutive_failures=consecutive.get(run.result, self.consecutive_failures),
            last_success=run.finished_at.strftime(TIMESTAMP_FORMAT)
            if passed
            else self.last_success,
            hours=_add_to_bucket(
                self.hours, run.finished_at.strftime(HOUR_FORMAT), verdict, MAX_HOURS
            ),
            days=_add_to_bucket(self.days, run.finished_at.strftime(DAY_FORMAT), verdict, MAX_DAYS),
            failures=add_failure(self.failures, run),
            reasons=_count_reason(self.reasons, run.reason),
            durations=self.durations.add(run.duration_ms, run.steps, is_complete=passed)
            if run.result in consecutive
            else self.durations,
            # a failed handshake shows no certificate, and a run without TLS has none
            certificate_expiry=run.certificate_expiry
            or ("" if passed else self.certificate_expiry),
        )

    def counting_runs(self) -> tuple[RunRecord, ...]:
        """Return the runs outside maintenance windows."""
        return tuple(run for run in self.all_runs if not run.in_maintenance)

    def window_counts(self, window: str, now: datetime) -> Counts:
        """Return the counts of a window: ``1h`` by runs, ``24h`` by hours, others by days."""
        if window == "1h":
            since = (now - timedelta(hours=1)).strftime(TIMESTAMP_FORMAT)
            results = [run.verdict for run in self.counting_runs() if run.at > since]
            passed, failed = results.count(PASSED), results.count(FAILED)
            return passed, failed, len(results) - passed - failed
        if window == "24h":
            first = (now - timedelta(hours=23)).strftime(HOUR_FORMAT)
            return _sum_buckets(self.hours, first)
        first = (now - timedelta(days=int(window[:-1]) - 1)).strftime(DAY_FORMAT)
        return _sum_buckets(self.days, first)

    def uptime(self, window: str, now: datetime) -> float | None:
        """Return the ratio of passed to passed and failed runs, or None without any."""
        passed, failed, _ = self.window_counts(window, now)
        return passed / (passed + failed) if passed + failed else None

    def counters(self) -> Object:
        """Return the totals in the format of the status."""
        skipped = {"maintenance": self.in_maintenance} if self.in_maintenance else {}
        return {**self.totals, "passedAfterRetry": self.retried, **skipped}

    def windows(self) -> Object:
        """Return the buckets in the format of the status."""
        return {"hours": _write_buckets(self.hours), "days": _write_buckets(self.days)}


def _record(run: Run, verdict: str) -> RunRecord:
    mark = "" if verdict == run.result else OUTAGE if verdict == FAILED else TOLERATED
    return RunRecord(
        run.started_at.strftime(TIMESTAMP_FORMAT),
        run.result,
        run.duration_ms,
        "" if run.result == PASSED else " ".join(run.summary.split())[:MAX_DETAIL_LENGTH],
        MAINTENANCE if run.maintenance else mark,
        run.location,
    )


def _increment(count: int, limit: int = MAX_COUNT) -> int:
    return min(count + 1, limit)


def _count_reason(reasons: dict[str, int], reason: str) -> dict[str, int]:
    return {**reasons, reason: _increment(reasons.get(reason, 0))} if reason else reasons


def _add_to_bucket(
    buckets: dict[str, Counts], key: str, result: str, kept: int
) -> dict[str, Counts]:
    added = {**buckets}
    position = {PASSED: 0, FAILED: 1}.get(result, 2)
    counts = list(buckets.get(key, (0, 0, 0)))
    counts[position] = _increment(counts[position], MAX_BUCKET_COUNT)
    added[key] = (counts[0], counts[1], counts[2])
    return dict(sorted(added.items())[-kept:])


def _sum_buckets(buckets: dict[str, Counts], first: str) -> Counts:
    chosen = [counts for key, counts in buckets.items() if key >= first]
    passed, failed, other = (sum(counts[i] for counts in chosen) for i in range(3))
    return passed, failed, other


def _read_buckets(lines: Iterable[str]) -> dict[str, Counts]:
    buckets = {}
    for line in lines:
        key, passed, failed, other = line.split(" ")
        buckets[key] = (int(passed), int(failed), int(other))
    return buckets


def _write_buckets(buckets: dict[str, Counts]) -> list[str]:
    return [f"{key} {' '.join(map(str, counts))}" for key, counts in sorted(buckets.items())]
