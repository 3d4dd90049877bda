"""Monitors, and fake Jobs and pods of their runs."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from synthetic.operator.conditions import condition
from synthetic.operator.cronjob import LOCATION_LABEL, MONITOR_LABEL, UID_LABEL, owner_reference
from synthetic.operator.history import History
from synthetic.operator.probe_pod import CONTAINER_NAME
from synthetic.operator.resources import Object
from synthetic.operator.run_result import FAILED, PASSED, Run
from synthetic.operator.termination_message import StepTimes

NO_CONTROLLER = "cadastro.dev/nobody"  # no controller syncs these Jobs or schedules these pods
ENDED_AT = "2026-01-31T10:00:05Z"


def monitor(name: str, **spec: object) -> Object:
    """Return a suspended monitor; its probes request more CPU than any node has."""
    values = {
        "journey": "clients-health",
        "suspend": True,
        "target": {"url": "http://bench.invalid"},
        "resources": {"requests": {"cpu": "1000"}},
        **({} if "schedule" in spec else {"interval": "5m"}),
        **spec,
    }
    kept = {key: value for key, value in values.items() if value is not None}
    return {
        "apiVersion": "monitoring.cadastro.dev/v1alpha1",
        "kind": "SyntheticMonitor",
        "metadata": {"name": name},
        "spec": kept,
    }


def month_of_runs(now: datetime) -> Object:
    """Return the status of a monitor with eight steps after a month with a tenth of failures.

    It has the members that the operator keeps, and nothing that it derives.
    """
    minutes = (*range(31 * 24 * 60, 12 * 60, -60), *range(12 * 60, 0, -5))
    ends = (now - timedelta(minutes=each) for each in minutes)
    history = History().count((_run(number, end) for number, end in enumerate(ends)), ())
    return {
        "totals": history.counters(),
        "windows": history.windows(),
        "runs": [run.line for run in history.runs],
        "failures": [dict(failure) for failure in history.failures],
        "failureReasons": history.reasons,
        "durations": history.durations.to_status(),
        "lastSuccessTime": history.last_success,
    }


def _run(number: int, ended: datetime) -> Run:
    has_passed = bool(number % 10)
    steps = [StepTimes(f"createClient{n}", 12_300, (400, 200, 0, 11_700)) for n in range(8)]
    return Run(
        uid=f"{number:0>18}",
        job=f"bench-{number}",
        result=PASSED if has_passed else FAILED,
        started_at=ended,
        finished_at=ended,
        duration_ms=98,
        step="" if has_passed else "createClient3",
        reason="" if has_passed else "assertion",
        http_status=0 if has_passed else 200,
        evidence={} if has_passed else {"condition": "$response.body#/n == 2", "left": "1"},
        steps=tuple(steps),
    )


def places(names: Iterable[str]) -> list[Object]:
    """Return the locations of a spec."""
    return [{"name": name} for name in names]


def totals(one: Object) -> Object:
    """Return the totals of a monitor, without the runs that passed after a retry."""
    found = (one.get("status") or {}).get("totals", {})
    return {key: value for key, value in found.items() if key != "passedAfterRetry"}


def ready_condition(one: Object) -> tuple[str, str]:
    """Return the reason and the message of a monitor's condition Ready."""
    found = condition(one.get("status") or {}, "Ready")
    return found.get("reason", ""), found.get("message", "")


def job(owner: Object, name: str) -> Object:
    """Return a Job of a monitor that no controller syncs."""
    probe = {"name": CONTAINER_NAME, "image": "bench.invalid/none"}
    return {
        "metadata": {
            "name": name,
            "labels": _labels(owner),
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {
            "managedBy": NO_CONTROLLER,
            "template": {"spec": {"restartPolicy": "Never", "containers": [probe]}},
        },
    }


def _labels(owner: Object) -> Object:
    """Return the labels of a Job, which is at the first location of its monitor."""
    labels = {MONITOR_LABEL: owner["metadata"]["name"], UID_LABEL: owner["metadata"]["uid"]}
    for place in owner["spec"].get("locations", [])[:1]:
        labels[LOCATION_LABEL] = place["name"]
    return labels


def finished_job_status(*, passed: bool) -> Object:
    """Return the status of a finished Job."""
    last = {"status": "True", "lastTransitionTime": ENDED_AT, "reason": "BackoffLimitExceeded"}
    kinds = ("SuccessCriteriaMet", "Complete") if passed else ("FailureTarget", "Failed")
    return {
        "startTime": "2026-01-31T10:00:00Z",
        **({"completionTime": ENDED_AT} if passed else {}),
        "succeeded" if passed else "failed": 1,
        "conditions": [{"type": kind, **last} for kind in kinds],
    }


def pod(owner: Object, owner_job: Object) -> Object:
    """Return a pod of a Job that no scheduler binds."""
    probe = {"name": CONTAINER_NAME, "image": "bench.invalid/none"}
    labels = {**_labels(owner), "batch.kubernetes.io/controller-uid": owner_job["metadata"]["uid"]}
    return {
        "metadata": {"name": owner_job["metadata"]["name"], "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "schedulingGates": [{"name": NO_CONTROLLER}],
            "containers": [probe],
        },
    }


def finished_pod_status(message: str, code: int) -> Object:
    """Return the status of a pod whose container terminated with a message."""
    terminated = {
        "exitCode": code,
        "message": message,
        "startedAt": ENDED_AT,
        "finishedAt": ENDED_AT,
    }
    container = {"name": CONTAINER_NAME, "image": "none", "imageID": "", "ready": False}
    state = {"restartCount": 0, "state": {"terminated": terminated}}
    return {"phase": "Failed", "containerStatuses": [{**container, **state}]}
