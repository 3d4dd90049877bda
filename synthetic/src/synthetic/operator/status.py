"""Build the status of a monitor (a pure function of its old status, its runs and the time)."""

from datetime import datetime
from itertools import chain

import orjson

from synthetic.operator.conditions import merge_conditions, operator_conflict
from synthetic.operator.health import current_health, suspended
from synthetic.operator.history import History
from synthetic.operator.incident_tracker import settle
from synthetic.operator.location_status import build_locations, healths
from synthetic.operator.observation import Observation
from synthetic.operator.quorum import verdict
from synthetic.operator.resources import Object
from synthetic.operator.spec import WINDOWS, Spec

UPTIME_WINDOWS = ("1h", "24h", "7d", "30d")
MAX_STATUS_BYTES = 8192
MAX_STEP_BYTES = 6144  # of the histograms of MAX_STEPS steps beside that
MAX_LOCATION_BYTES = 3072  # for each location beside that
SHORT_TEXT = 60  # bytes
RUN_WORDS, INCIDENT_WORDS = 3, 2  # of a line without its detail


def build_status(
    monitor: Object, spec: Spec, history: History, observation: Observation, now: datetime
) -> Object:
    """Return the status of a monitor."""
    old: Object = monitor.get("status") or {}
    last = observation.last_run(old)
    generation: int = monitor["metadata"]["generation"]
    active, ended = observation.maintenance.active, observation.maintenance.ended
    locations = build_locations(monitor, spec, history, observation, ended, now)
    health = (
        verdict(spec.quorum, healths(locations))
        if locations
        else current_health(spec, history, observation, old, last, ended, now)
    )
    history = settle(history, spec, health, ended, now)
    conditions = [
        observation.ready,
        health,
        suspended(spec, observation),
        *operator_conflict(observation.contender),
        *observation.maintenance.conditions,
    ]
    status: Object = {
        "observedGeneration": generation,
        "schedule": spec.schedule.description,
        "target": observation.url,
        "cronJob": {"name": observation.cron_job, "generation": observation.cron_job_generation},
        "conditions": merge_conditions(old, conditions, generation, now),
        "consecutiveFailures": max(
            (entry["consecutiveFailures"] for entry in locations),
            default=history.consecutive_failures,
        ),
        "totals": history.counters(),
        "uptime": {window: percent(history.uptime(window, now)) for window in UPTIME_WINDOWS},
        "slo": error_budget(spec, history, now),
        "windows": history.windows(),
        "runs": [run.line for run in history.runs if not run.location],
        "counted": sorted(history.counted),
        "handled": observation.handled.to_status(),
    }
    if locations:
        status["locations"] = locations
    if last:
        status["lastRun"] = dict(last)
    if history.failures:
        status["failures"] = [dict(failure) for failure in history.failures]
    kept = {
        "incidents": [incident.line for incident in history.incidents],
        "failureReasons": history.reasons,
        "durations": history.durations.to_status(),
        "certificateExpiry": _certificate_expiry(history, locations),
    }
    status |= {name: value for name, value in kept.items() if value}
    if history.last_success:
        status["lastSuccessTime"] = history.last_success
    if old.get("notified"):
        status["notified"] = [dict(record) for record in old["notified"]]
    if active:
        status["maintenance"] = active.status
    return truncate(status)


def _certificate_expiry(history: History, locations: list[Object]) -> str:
    """Return the earliest expiry that a location's last run has seen."""
    if not locations:
        return history.certificate_expiry
    seen = (entry.get("certificateExpiry", "") for entry in locations)
    return min(filter(None, seen), default="")


def error_budget(spec: Spec, history: History, now: datetime) -> Object:
    """Return the remaining error budget in percent; an overdrawn one is negative.

    The budget is a share of the runs that the window holds, rather than of those so far.
    """
    passed, failed, _ = history.window_counts(spec.window, now)
    expected = spec.schedule.expected_runs(now, WINDOWS[spec.window]) * len(spec.places)
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


def truncate(status: Object) -> Object:
    """Shorten the status to its size limit: what its windows and alerts count goes last.

    First go the details of the oldest runs, then the oldest failures, then the details of the
    oldest incidents, the ends of the locations' messages, then the oldest runs, the ends of
    messages, and the oldest incidents.
    """
    entries: list[Object] = status.get("locations", [])
    limit = MAX_STATUS_BYTES + MAX_LOCATION_BYTES * len(entries)
    limit += _bytes_of_steps(status)
    over = len(orjson.dumps(status)) - limit
    lists: list[list[str]] = [status["runs"], *(entry["runs"] for entry in entries)]
    failures, incidents = status.get("failures", []), status.get("incidents", [])
    for runs in lists:
        over = _drop_details(runs, RUN_WORDS, over)
    while over > 0 and len(failures) > 1:
        over -= len(orjson.dumps(failures.pop())) + 1
    over = _drop_details(incidents, INCIDENT_WORDS, over)
    if over > 0 and entries:
        for entry in entries:
            _shorten_texts(entry)
        over = len(orjson.dumps(status)) - limit
    while over > 0 and any(lists):
        over -= len(max(lists, key=len).pop(0).encode()) + 3
    if over > 0:
        _shorten_texts(status)
        while incidents and len(orjson.dumps(status)) > limit:
            incidents.pop(0)
    return status


def _bytes_of_steps(status: Object) -> int:
    found = {k: v for k, v in status.get("durations", {}).items() if k in {"steps", "phases"}}
    return len(orjson.dumps(found)) if found else 0


def _drop_details(lines: list[str], words: int, over: int) -> int:
    """Keep only the first words of lines until enough bytes are saved; return those left."""
    for place, line in enumerate(lines):
        if over <= 0:
            break
        lines[place] = " ".join(line.split(" ", words)[:words])
        over -= len(line.encode()) - len(lines[place])
    return over


def _shorten_texts(status: Object) -> None:
    """Shorten the texts of a status, or of a location's entry, which are almost all of it."""
    for failure in status.get("failures", []):
        failure.pop("evidence", None)
    lists = (status["conditions"], status.get("failures", []), status.get("notified", []))
    for entry in (*chain(*lists), status.get("lastRun", {})):
        for name in {"message", "detail", "error"} & entry.keys():
            entry[name] = entry[name].encode()[:SHORT_TEXT].decode(errors="ignore")
