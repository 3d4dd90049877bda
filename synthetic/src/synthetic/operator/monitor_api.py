"""Monitors as JSON, as `monitor_api.yaml` (OpenAPI) describes them."""

from datetime import datetime
from functools import cache
from importlib import resources

import yaml

from synthetic.operator.failures import explain
from synthetic.operator.incident import Incident
from synthetic.operator.location_view import LocationView
from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.resources import Object
from synthetic.operator.run_record import RunRecord
from synthetic.operator.status import UPTIME_WINDOWS
from synthetic.operator.status_schema import TIMESTAMP_FORMAT


@cache
def contract() -> Object:
    """Return the OpenAPI description of the resources."""
    text = resources.files(__package__).joinpath("monitor_api.yaml").read_text()
    document: Object = yaml.safe_load(text)
    return document


def to_summary(view: MonitorView, now: datetime) -> Object:
    """Return a monitor without its runs; ratios are numbers from 0 to 1, or null without data."""
    return {
        "namespace": view.namespace,
        "name": view.name,
        "journey": view.journey,
        "target": view.target,
        "schedule": view.schedule,
        "state": view.state,
        "severity": view.spec.severity,
        "group": view.spec.group or None,
        "conditions": {
            "healthy": _condition(view.healthy),
            "ready": _condition(view.ready),
        },
        "uptime": {window: view.history.uptime(window, now) for window in UPTIME_WINDOWS},
        "slo": {
            "objective": view.spec.objective,
            "window": view.spec.window,
            "budgetRemaining": _ratio(view.slo.get("budgetRemaining", "")),
        },
        "maintenance": view.maintenance or None,
        "lastRun": _last_run(view.last),
        "certificateExpiry": view.history.certificate_expiry or None,
        "quorum": view.spec.quorum if view.locations else None,
        "locations": [_location(location) for location in view.locations],
    }


def to_details(view: MonitorView, now: datetime) -> Object:
    """Return a monitor with its last runs and incidents."""
    return {
        **to_summary(view, now),
        "totals": view.history.counters(),
        "runs": [_run(run) for run in view.history.runs],
        "failures": [_failure(failure) for failure in view.history.failures],
        "incidents": [_incident(each, now) for each in reversed(view.incidents(now))],
    }


def _location(location: LocationView) -> Object:
    return {
        "name": location.name,
        "state": location.state,
        "conditions": {
            "healthy": _condition(location.healthy),
            "ready": _condition(location.ready),
        },
        "consecutiveFailures": location.history.consecutive_failures,
        "totals": location.history.counters(),
        "lastRun": _last_run(location.last),
    }


def _condition(condition: Object) -> Object:
    return {
        "status": condition.get("status", "Unknown"),
        "reason": condition.get("reason", ""),
        "message": condition.get("message", ""),
        "since": condition.get("lastTransitionTime"),
    }


def _ratio(percentage: str) -> float | None:
    """Return a percentage of the status, such as ``99.50%``, as a ratio."""
    return round(float(percentage[:-1]) / 100, 4) if percentage else None


def _last_run(last: Object) -> Object | None:
    names = (
        *("job", "result", "step", "reason", "detail", "traceId", "startedAt", "finishedAt"),
        *("maintenance", "location"),
    )
    if not last:
        return None
    texts = {name: last.get(name) or None for name in names}
    return {
        **texts,
        "httpStatus": last.get("httpStatus") or None,
        "durationMs": last.get("durationMs", 0),
    }


def _failure(failure: Object) -> Object:
    names = (
        *("finishedAt", "result", "job", "location", "step", "reason", "httpStatus", "detail"),
        "traceId",
    )
    return {
        **{name: failure.get(name) for name in names},
        "evidence": failure.get("evidence"),
        "explanation": explain(failure) or None,
    }


def _incident(incident: Incident, now: datetime) -> Object:
    return {
        "start": incident.start.strftime(TIMESTAMP_FORMAT),
        "end": incident.end.strftime(TIMESTAMP_FORMAT) if incident.end else None,
        "durationSeconds": int(incident.duration(now).total_seconds()),
        "reason": incident.reason or None,
    }


def _run(run: RunRecord) -> Object:
    return {
        "startedAt": run.at,
        "result": run.result,
        "durationMs": run.duration_ms,
        "detail": run.detail or None,
        "inMaintenance": run.in_maintenance,
        "location": run.location or None,
        "verdict": run.verdict,
    }
