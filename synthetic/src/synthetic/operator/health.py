"""The condition Healthy of a monitor, derived from its last runs."""

from datetime import datetime

from synthetic.operator.conditions import Condition, condition
from synthetic.operator.history import TIMESTAMP_FORMAT, History, RunRecord
from synthetic.operator.resources import Object
from synthetic.operator.run_result import DISRUPTED, ERROR, FAILED, PASSED
from synthetic.operator.spec import Spec, SpecError


def healthy(spec: Spec, history: History, since: datetime, now: datetime) -> Condition:
    """Return the condition Healthy; without data it is Unknown."""
    judged = [run for run in history.runs if run.result in {PASSED, FAILED}][-spec.out_of :]
    if spec.suspend:
        return _unknown("Suspended", "The health is unknown while spec.suspend is true")
    if _is_overdue(spec, since, now):
        return _unknown("NoData", f"No run has ended since {since.strftime(TIMESTAMP_FORMAT)}")
    broken = [run for run in history.runs if run.result != DISRUPTED][-spec.failures :]
    if len(broken) == spec.failures and all(run.result == ERROR for run in broken):
        return _unknown("MonitorBroken", f"The probe failed to run: {broken[-1].detail}")
    if not judged:
        return _unknown("NoRunYet", "No run has passed or failed yet")
    return _judge_runs(spec, judged, has_passed=bool(history.last_success))


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


def last_activity(old: Object, last: Object | None, now: datetime) -> datetime:
    """Return the end of the last run, or the time since which one could have ended."""
    moments = [datetime.fromisoformat(last["finishedAt"])] if last else []
    resumed = condition(old, "Suspended")
    if resumed.get("status") == "False":
        moments.append(datetime.fromisoformat(resumed["lastTransitionTime"]))
    elif resumed or not moments:
        moments.append(now)  # its schedule starts now, whatever its age
    return max(moments)


def _is_overdue(spec: Spec, since: datetime, now: datetime) -> bool:
    try:
        return now > spec.overdue(since)
    except SpecError:
        return False  # the condition Ready reports the invalid schedule


def _unknown(reason: str, message: str) -> Condition:
    return Condition("Healthy", "Unknown", reason, message)
