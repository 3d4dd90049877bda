"""Build the status of a monitor (a pure function of its old status, its runs and the time)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

import orjson

from synthetic.operator.conditions import (
    MAX_MESSAGE_LENGTH,
    Condition,
    merge_conditions,
    operator_conflict,
)
from synthetic.operator.health import bound_by_ready, healthy, last_activity, overdue
from synthetic.operator.history import History
from synthetic.operator.incident_tracker import settle
from synthetic.operator.maintenance import Active, maintenance_condition, maintenance_end
from synthetic.operator.resources import Object
from synthetic.operator.run_result import Run
from synthetic.operator.spec import WINDOWS, Schedule, Spec
from synthetic.operator.status_schema import TIMESTAMP_FORMAT

UPTIME_WINDOWS = ("1h", "24h", "7d", "30d")
MAX_STATUS_BYTES = 8192
SHORT_TEXT = 60  # bytes
RUN_WORDS, INCIDENT_WORDS = 3, 2  # of a line without its detail


@dataclass(frozen=True)
class HandledTriggers:
    """The triggers for which a run has been created."""

    run_requested_at: str = ""
    rollouts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """The state of a monitor's objects in the cluster."""

    ready: Condition
    url: str = ""
    cron_job: str = ""
    cron_job_generation: int = 0
    schedule: Schedule | None = None  # of the CronJob; None if that is missing or suspended
    last: Run | None = None  # the latest of the newly counted runs
    handled: HandledTriggers = field(default_factory=HandledTriggers)
    contender: str = ""  # another operator that watches the namespace
    maintenance: Active | None = None  # in force now


def build_status(
    monitor: Object, spec: Spec, history: History, observation: Observation, now: datetime
) -> Object:
    """Return the status of a monitor."""
    old: Object = monitor.get("status") or {}
    last = _last_run(observation.last) if observation.last else old.get("lastRun")
    generation: int = monitor["metadata"]["generation"]
    maintenance = merge_conditions(
        old, maintenance_condition(observation.maintenance, old, now), generation, now
    )
    ended = maintenance_end(observation.maintenance, old, now)
    verdict = _healthy(spec, history, observation, old, last, ended, now)
    history = settle(history, spec, verdict, ended, now)
    conditions = [
        observation.ready,
        verdict,
        _suspended(spec, observation),
        *operator_conflict(observation.contender),
    ]
    status: Object = {
        "observedGeneration": generation,
        "schedule": spec.schedule.description,
        "target": observation.url,
        "cronJob": {"name": observation.cron_job, "generation": observation.cron_job_generation},
        "conditions": merge_conditions(old, conditions, generation, now) + maintenance,
        "consecutiveFailures": history.consecutive_failures,
        "totals": history.counters(),
        "uptime": {window: percent(history.uptime(window, now)) for window in UPTIME_WINDOWS},
        "slo": error_budget(spec, history, now),
        "windows": history.windows(),
        "runs": [run.line for run in history.runs],
        "counted": sorted(history.counted),
        "handled": {
            "runRequestedAt": observation.handled.run_requested_at,
            "rollouts": observation.handled.rollouts,
        },
    }
    if last:
        status["lastRun"] = dict(last)
    if history.failures:
        status["failures"] = [dict(failure) for failure in history.failures]
    kept = {
        "incidents": [incident.line for incident in history.incidents],
        "failureReasons": history.reasons,
        "durations": history.durations.to_status(),
        "certificateExpiry": history.certificate_expiry,
    }
    status |= {name: value for name, value in kept.items() if value}
    if history.last_success:
        status["lastSuccessTime"] = history.last_success
    if old.get("notified"):
        status["notified"] = [dict(record) for record in old["notified"]]
    if observation.maintenance:
        status["maintenance"] = observation.maintenance.status
    return truncate(status)


def _healthy(
    spec: Spec,
    history: History,
    observation: Observation,
    old: Object,
    last: Object | None,
    ended: str,
    now: datetime,
) -> Condition:
    """Return the condition Healthy; ``ended`` is the end of the last maintenance."""
    ready, schedule = observation.ready, observation.schedule
    if observation.maintenance and not spec.suspend:
        return Condition("Healthy", "Unknown", "Maintenance", observation.maintenance.message)
    since = last_activity(old, last, ended, now)
    late = overdue(spec, schedule, since, now) if schedule and not spec.suspend else None
    return bound_by_ready(late or healthy(spec, history, ready, schedule, ended), old, ready, now)


def _suspended(spec: Spec, observation: Observation) -> Condition:
    """Return whether no run is scheduled; the CronJob may lag behind the spec."""
    if spec.suspend:
        return Condition("Suspended", "True", "Suspended", "spec.suspend is true")
    maintenance = observation.maintenance
    if maintenance and maintenance.pauses and observation.schedule is None:
        return Condition("Suspended", "True", "Maintenance", maintenance.message)
    if observation.schedule is None:
        return Condition("Suspended", "Unknown", "NotScheduled", "No CronJob schedules runs")
    return Condition("Suspended", "False", "Scheduled", f"Runs {spec.schedule.description}")


def error_budget(spec: Spec, history: History, now: datetime) -> Object:
    """Return the remaining error budget in percent; an overdrawn one is negative.

    The budget is a share of the runs that the window holds, rather than of those so far.
    """
    passed, failed, _ = history.window_counts(spec.window, now)
    expected = spec.schedule.expected_runs(now, WINDOWS[spec.window])
    allowed = (1 - spec.objective) * max(expected, passed + failed)
    left = 1 - failed / allowed if allowed > 0 else 1 - float(failed > 0)
    return {
        "objective": f"{spec.objective * 100:.6g}%",
        "window": spec.window,
        "budgetRemaining": percent(left),
        "failed": failed,
    }


def percent(share: float | None) -> str:
    """Format a ratio as a percentage, rounded down; None becomes an empty string."""
    if share is None:
        return ""
    return f"{int(share * 10000 + (1e-9 if share >= 0 else -1e-9)) / 100:.2f}%"


def _last_run(run: Run) -> Object:
    return {
        **({"maintenance": run.maintenance} if run.maintenance else {}),
        "job": run.job,
        "result": run.result,
        "step": run.step,
        "reason": run.reason,
        "httpStatus": run.http_status,
        "attempt": run.attempt,
        "durationMs": run.duration_ms,
        "traceId": run.trace_id,
        "detail": run.detail[:MAX_MESSAGE_LENGTH],
        "startedAt": run.started_at.astimezone(UTC).strftime(TIMESTAMP_FORMAT),
        "finishedAt": run.finished_at.astimezone(UTC).strftime(TIMESTAMP_FORMAT),
    }


def truncate(status: Object) -> Object:
    """Shorten the status to its size limit: what its windows and alerts count goes last.

    First go the details of the oldest runs, then the oldest failures, then the details of the
    oldest incidents, then the oldest runs, the ends of messages, and the oldest incidents.
    """
    over = len(orjson.dumps(status)) - MAX_STATUS_BYTES
    runs, failures = status["runs"], status.get("failures", [])
    over = _drop_details(runs, RUN_WORDS, over)
    while over > 0 and len(failures) > 1:
        over -= len(orjson.dumps(failures.pop())) + 1
    incidents = status.get("incidents", [])
    over = _drop_details(incidents, INCIDENT_WORDS, over)
    while over > 0 and runs:
        over -= len(runs.pop(0).encode()) + 3
    if over > 0:
        _shorten_texts(status)
        while incidents and len(orjson.dumps(status)) > MAX_STATUS_BYTES:
            incidents.pop(0)
    return status


def _drop_details(lines: list[str], words: int, over: int) -> int:
    """Keep only the first words of lines until enough bytes are saved; return those left."""
    for place, line in enumerate(lines):
        if over <= 0:
            break
        lines[place] = " ".join(line.split(" ", words)[:words])
        over -= len(line.encode()) - len(lines[place])
    return over


def _shorten_texts(status: Object) -> None:
    """Shorten the texts that are left: without any run, these are almost all of a status."""
    for failure in status.get("failures", []):
        failure.pop("evidence", None)
    lists = (status["conditions"], status.get("failures", []), status.get("notified", []))
    for entry in (*chain(*lists), status.get("lastRun", {})):
        for name in {"message", "detail", "error"} & entry.keys():
            entry[name] = entry[name].encode()[:SHORT_TEXT].decode(errors="ignore")
