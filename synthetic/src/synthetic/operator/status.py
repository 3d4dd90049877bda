"""The status of a monitor: a pure function of what was there, what ran, and the time."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from synthetic.operator.history import TIMESTAMP_FORMAT, History, RunRecord
from synthetic.operator.resources import Object
from synthetic.operator.run_result import DISRUPTED, ERROR, FAILED, PASSED, Run
from synthetic.operator.spec import Spec, SpecError

UPTIME_WINDOWS = ("1h", "24h", "7d", "30d")
MAX_STATUS_BYTES = 8192  # bytes of a status
MAX_MESSAGE_LENGTH = 300


@dataclass(frozen=True)
class Condition:
    """A condition, as Kubernetes has them."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True)
class HandledTriggers:
    """What asked for a run and got it."""

    run_requested_at: str = ""
    rollouts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """What a look at the cluster has shown."""

    ready: Condition
    url: str = ""
    cron_job: str = ""
    cron_job_generation: int = 0
    last: Run | None = None  # the newest of the runs that are counted for the first time
    handled: HandledTriggers = field(default_factory=HandledTriggers)


def build_status(
    monitor: Object, spec: Spec, history: History, observed: Observation, now: datetime
) -> Object:
    """Return the status that a monitor must have."""
    old: Object = monitor.get("status") or {}
    last = _last_run(observed.last) if observed.last else old.get("lastRun")
    conditions = [
        observed.ready,
        healthy(spec, history, _last_activity(old, last, now), now),
        Condition(
            "Suspended",
            str(spec.suspend),
            "Suspended" if spec.suspend else "Scheduled",
            "spec.suspend is true" if spec.suspend else f"Runs {spec.schedule.description}",
        ),
    ]
    status: Object = {
        "observedGeneration": monitor["metadata"]["generation"],
        "schedule": spec.schedule.description,
        "target": observed.url,
        "cronJob": {"name": observed.cron_job, "generation": observed.cron_job_generation},
        "conditions": _conditions(old, conditions, monitor["metadata"]["generation"], now),
        "consecutiveFailures": history.consecutive_failures,
        "totals": {**history.totals, "passedAfterRetry": history.retried},
        "uptime": {window: percent(history.uptime(window, now)) for window in UPTIME_WINDOWS},
        "slo": error_budget(spec, history, now),
        "windows": history.windows(),
        "runs": [run.line for run in history.runs],
        "counted": sorted(history.counted),
        "handled": {
            "runRequestedAt": observed.handled.run_requested_at,
            "rollouts": observed.handled.rollouts,
        },
    }
    if last:
        status["lastRun"] = last
    if history.last_success:
        status["lastSuccessTime"] = history.last_success
    return _truncate(status)


def healthy(spec: Spec, history: History, since: datetime, now: datetime) -> Condition:
    """Return the condition Healthy: what is not known is Unknown, never up."""
    judged = [run for run in history.runs if run.result in {PASSED, FAILED}][-spec.out_of :]
    if spec.suspend:
        return _unknown("Suspended", "Nothing is known while spec.suspend is true")
    if _is_overdue(spec, since, now):
        return _unknown("NoData", f"No run has ended since {since.strftime(TIMESTAMP_FORMAT)}")
    broken = [run for run in history.runs if run.result != DISRUPTED][-spec.failures :]
    if len(broken) == spec.failures and all(run.result == ERROR for run in broken):
        return _unknown("MonitorBroken", f"The probe could not do its work: {broken[-1].detail}")
    if not judged:
        return _unknown("NoRunYet", "No run has come to a verdict yet")
    return _judge_runs(spec, judged)


def _judge_runs(spec: Spec, judged: list[RunRecord]) -> Condition:
    failed = [run for run in judged if run.result == FAILED]
    what = f"{len(failed)} of the last {len(judged)} runs failed"
    if len(failed) >= spec.failures:
        return Condition("Healthy", "False", "Failing", f"{what}: {failed[-1].detail}")
    if spec.degraded_ms and judged[-1].duration_ms > spec.degraded_ms:
        slow = f"The last run took {judged[-1].duration_ms} ms; {spec.degraded_ms} are wanted"
        return Condition("Healthy", "True", "Degraded", slow)
    return Condition("Healthy", "True", "Passing", what)


def error_budget(spec: Spec, history: History, now: datetime) -> Object:
    """Return how much of the error budget is left, in percent; less than 0 when overdrawn."""
    passed, failed, _ = history.window_counts(spec.window, now)
    allowed = (1 - spec.objective) * (passed + failed)
    left = 1 - failed / allowed if allowed > 0 else 1 - float(failed > 0)
    return {
        "objective": f"{spec.objective * 100:.6g}%",
        "window": spec.window,
        "budgetRemaining": percent(left),
        "failed": failed,
    }


def percent(share: float | None) -> str:
    """Return a share as a person reads it, or nothing when there is none; never rounded up."""
    if share is None:
        return ""
    return f"{int(share * 10000 + (1e-9 if share >= 0 else -1e-9)) / 100:.2f}%"


def condition(status: Object, kind: str) -> Object:
    """Return a condition of a status, or an empty one."""
    found: Object = next(
        (entry for entry in status.get("conditions", []) if entry["type"] == kind), {}
    )
    return found


def _unknown(reason: str, message: str) -> Condition:
    return Condition("Healthy", "Unknown", reason, message)


def _last_activity(old: Object, last: Object | None, now: datetime) -> datetime:
    """Return when a run ended last, or else since when one could have."""
    moments = [datetime.fromisoformat(last["finishedAt"])] if last else []
    resumed = condition(old, "Suspended")
    if resumed.get("status") == "False":
        moments.append(datetime.fromisoformat(resumed["lastTransitionTime"]))
    elif resumed or not moments:
        moments.append(now)  # it is scheduled from now on, however old it is
    return max(moments)


def _is_overdue(spec: Spec, since: datetime, now: datetime) -> bool:
    try:
        return now > spec.overdue(since)
    except SpecError:
        return False  # the condition Ready says what is wrong with the schedule


def _conditions(
    old: Object, conditions: list[Condition], generation: int, now: datetime
) -> list[Object]:
    """Return the conditions; one whose status is as before keeps its time."""
    written = []
    for wanted in conditions:
        before = condition(old, wanted.type)
        same = before.get("status") == wanted.status
        written.append(
            {
                "type": wanted.type,
                "status": wanted.status,
                "reason": wanted.reason,
                "message": wanted.message[:MAX_MESSAGE_LENGTH],
                "observedGeneration": generation,
                "lastTransitionTime": before["lastTransitionTime"]
                if same
                else now.strftime(TIMESTAMP_FORMAT),
            }
        )
    return written


def _last_run(run: Run) -> Object:
    return {
        "job": run.job,
        "result": run.result,
        "step": run.step,
        "reason": run.reason,
        "httpStatus": run.http_status,
        "attempt": run.attempt,
        "durationMs": run.duration_ms,
        "traceId": run.trace_id,
        "detail": run.detail,
        "startedAt": run.started_at.astimezone(UTC).strftime(TIMESTAMP_FORMAT),
        "finishedAt": run.finished_at.astimezone(UTC).strftime(TIMESTAMP_FORMAT),
    }


def _truncate(status: Object) -> Object:
    """Drop the oldest of the runs that are shown until the status is small enough."""
    over = len(orjson.dumps(status)) - MAX_STATUS_BYTES
    while over > 0 and status["runs"]:
        over -= len(status["runs"].pop(0)) + 3
    return status
