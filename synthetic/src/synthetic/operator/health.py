"""The conditions Healthy and Suspended of a monitor or of one of its locations."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from synthetic.operator.conditions import Condition, condition
from synthetic.operator.history import MAX_DETAIL_LENGTH, History
from synthetic.operator.observation import Observation
from synthetic.operator.quorum import verdict
from synthetic.operator.resources import Object
from synthetic.operator.run_record import RunRecord
from synthetic.operator.run_result import DISRUPTED, ERROR, FAILED, PASSED
from synthetic.operator.spec import Schedule, Spec, SpecError
from synthetic.operator.status_schema import TIMESTAMP_FORMAT

NOT_READY_GRACE = timedelta(minutes=10)  # while runs of the previous spec still count
CANNOT_START_REASONS = frozenset({"ProbeCannotStart", "RunRefused"})  # conditions without a grace


def current_health(
    spec: Spec,
    history: History,
    observation: Observation,
    old: Object,
    last: Object | None,
    ended: str,
    now: datetime,
) -> Condition:
    """Return the condition Healthy of a monitor, or of one of its locations.

    ``old`` is its last status, and ``ended`` the end of the last maintenance.
    """
    ready, schedule = observation.ready, observation.schedule
    maintenance = observation.maintenance.active
    if maintenance and not spec.suspend:
        return Condition("Healthy", "Unknown", "Maintenance", maintenance.message)
    since = last_activity(old, last, ended, now)
    late = overdue(spec, schedule, since, now) if schedule and not spec.suspend else None
    return bound_by_ready(late or healthy(spec, history, ready, schedule, ended), old, ready, now)


def suspended(spec: Spec, observation: Observation) -> Condition:
    """Return whether no run is scheduled; the CronJob may lag behind the spec."""
    if spec.suspend:
        return Condition("Suspended", "True", "Suspended", "spec.suspend is true")
    maintenance = observation.maintenance.active
    if maintenance and maintenance.pauses and observation.schedule is None:
        return Condition("Suspended", "True", "Maintenance", maintenance.message)
    if observation.schedule is None:
        return Condition("Suspended", "Unknown", "NotScheduled", "No CronJob schedules runs")
    return Condition("Suspended", "False", "Scheduled", f"Runs {spec.schedule.description}")


def healthy(
    spec: Spec,
    history: History,
    ready: Condition,
    schedule: Schedule | None,
    since: str = "",
) -> Condition:
    """Return the condition Healthy of a monitor whose data is recent.

    ``schedule`` is the one of the existing CronJob; None if that is missing or suspended. A
    monitor that cannot be scheduled, or whose runs cannot start, is never healthy. ``since`` is
    the end of the last maintenance: earlier failures alone are no evidence about the system after
    it, and none after a pass.
    """
    if spec.suspend:
        return _unknown("Suspended", "The health is unknown while spec.suspend is true")
    if schedule is None:
        return _not_ready(ready)
    return judge(spec, history, since)


def judge(spec: Spec, history: History, since: str = "") -> Condition:
    """Return the verdict of the runs alone."""
    if history.locations:
        states = {name: judge(spec, each, since) for name, each in history.locations.items()}
        return verdict(history.quorum, states)
    runs = history.counting_runs()
    recent = [run for run in runs if run.at >= since]
    found = _judge(spec, recent if any(run.result == PASSED for run in recent) else runs, history)
    if since and not recent and found.status != "True":
        return _unknown("NoRunYet", f"No run has ended since the maintenance, at {since}")
    return found


def _judge(spec: Spec, runs: Sequence[RunRecord], history: History) -> Condition:
    broken = [run for run in runs if run.result != DISRUPTED][-spec.failures :]
    if len(broken) == spec.failures and all(run.result == ERROR for run in broken):
        return _unknown("MonitorBroken", f"The probe failed to run: {broken[-1].detail}")
    judged = _judged(spec, runs)
    if not judged:
        return _unknown("NoRunYet", "No run has passed or failed yet")
    has_passed = bool(history.last_success) or any(run.result == PASSED for run in judged)
    return _judge_runs(spec, judged, has_passed=has_passed)


def _judged(spec: Spec, runs: Sequence[RunRecord]) -> list[RunRecord]:
    return [run for run in runs if run.result in {PASSED, FAILED}][-spec.out_of :]


def failed_runs(spec: Spec, history: History) -> list[RunRecord]:
    """Return the failures among the runs that the thresholds count, the oldest first."""
    if history.locations:
        found = (run for each in history.locations.values() for run in failed_runs(spec, each))
        named = (
            replace(run, detail=f"{run.location}: {run.detail}"[:MAX_DETAIL_LENGTH])
            for run in found
        )
        return sorted(named, key=lambda run: run.at)
    judged = _judged(spec, history.counting_runs())
    return [run for run in judged if run.result == FAILED]


def _named(run: RunRecord) -> RunRecord:
    """Return a run whose detail begins with its location."""
    return replace(run, detail=f"{run.location}: {run.detail}"[:MAX_DETAIL_LENGTH])


def bound_by_ready(verdict: Condition, old: Object, ready: Condition, now: datetime) -> Condition:
    """Return Unknown instead of a healthy verdict that the condition Ready contradicts."""
    if verdict.status != "True" or ready.status == "True":
        return verdict
    before = condition(old, "Ready")
    since = before["lastTransitionTime"] if before.get("status") == ready.status else ""
    is_recent = not since or now - datetime.fromisoformat(since) <= NOT_READY_GRACE
    if ready.reason not in CANNOT_START_REASONS and is_recent:
        return verdict
    return _not_ready(ready)


def overdue(spec: Spec, schedule: Schedule, since: datetime, now: datetime) -> Condition | None:
    """Return Unknown if two scheduled runs have been missed since a moment, or else None."""
    try:
        second = schedule.after(schedule.after(since))
    except SpecError:
        return None  # the condition Ready reports the invalid schedule
    if now <= second + timedelta(seconds=spec.job_deadline):
        return None
    return _unknown("NoData", f"No run has ended since {since.strftime(TIMESTAMP_FORMAT)}")


def last_activity(old: Object, last: Object | None, ended: str, now: datetime) -> datetime:
    """Return the end of the last run, or the time since which one could have ended.

    ``ended`` is the end of the last maintenance.
    """
    stamps = [last["finishedAt"] if last else "", ended]
    moments = [datetime.fromisoformat(stamp) for stamp in stamps if stamp]
    resumed = condition(old, "Suspended")
    if resumed.get("status") == "False":
        moments.append(datetime.fromisoformat(resumed["lastTransitionTime"]))
    elif resumed or not moments:
        moments.append(now)  # its schedule starts now, whatever its age
    return max(moments)


def _judge_runs(spec: Spec, judged: list[RunRecord], *, has_passed: bool) -> Condition:
    failed = [run for run in judged if run.result == FAILED]
    summary = f"{len(failed)} of the last {len(judged)} runs failed"
    if len(failed) >= spec.failures:
        return Condition("Healthy", "False", "Failing", f"{summary}: {failed[-1].detail}")
    if not has_passed:
        message = f"No run has passed yet; {summary}: {failed[-1].detail}"
        return _unknown("NoPassYet", message)
    if spec.degraded_ms and judged[-1].duration_ms > spec.degraded_ms:
        message = f"The last run took {judged[-1].duration_ms} ms, more than {spec.degraded_ms} ms"
        return Condition("Healthy", "True", "Degraded", message)
    return Condition("Healthy", "True", "Passing", summary)


def _not_ready(ready: Condition) -> Condition:
    return _unknown("NotReady", f"{ready.reason}: {ready.message}")


def _unknown(reason: str, message: str) -> Condition:
    return Condition("Healthy", "Unknown", reason, message)
