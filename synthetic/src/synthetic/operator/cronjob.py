"""Build the CronJob of a monitor, and the Jobs of requested runs (pure functions)."""

import hashlib
from typing import Any

import orjson

from synthetic.operator.probe_pod import ProbeImage, build_pod_spec
from synthetic.operator.resources import GROUP, KIND, VERSION, Object
from synthetic.operator.secret_binding import NO_HOSTS, BoundHosts
from synthetic.operator.spec import ANYWHERE, Location, Spec

MONITOR_LABEL = f"{GROUP}/monitor"
UID_LABEL = f"{GROUP}/monitor-uid"
LOCATION_LABEL = f"{GROUP}/location"
DIGEST_ANNOTATION = f"{GROUP}/digest"
JOB_HISTORY_LIMIT = 100  # of each kind, so that uncounted Jobs outlast an outage of the operator
ALL_JOBS_LIMIT = 400  # of each kind and monitor, over its locations
STARTING_DEADLINE_SECONDS = 60  # Kubernetes skips a start that is later
MAX_NAME_LENGTH = 52  # of a CronJob: Kubernetes adds eleven characters for its Jobs


def cron_job_name(monitor: Object, location: str = "") -> str:
    """Return the name of a CronJob, which is unique for the monitor's uid and the location."""
    name, uid = monitor["metadata"]["name"], monitor["metadata"]["uid"]
    if location:
        name, uid = f"{name}-{location}", f"{uid} {location}"
    digest = hashlib.sha256(uid.encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME_LENGTH - 9].rstrip('-.')}-{digest}"


def build_cron_job(
    monitor: Object,
    spec: Spec,
    url: str,
    image: ProbeImage,
    hosts: BoundHosts = NO_HOSTS,
    *,
    paused: bool = False,
    location: Location = ANYWHERE,
) -> Object:
    """Return the CronJob that replays a monitor's journey against ``url`` from a location.

    ``hosts`` are those that may receive the values of its Secrets. A CronJob that maintenance has
    ``paused`` is suspended.
    """
    labels = _labels(monitor, image, location)
    job_limit = min(JOB_HISTORY_LIMIT, ALL_JOBS_LIMIT // len(spec.places))
    body: Object = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": cron_job_name(monitor, location.name),
            "namespace": monitor["metadata"]["namespace"],
            "labels": labels,
            "ownerReferences": [owner_reference(monitor)],
        },
        "spec": {
            "schedule": spec.schedule.cron,
            "timeZone": spec.schedule.zone,
            "suspend": spec.suspend or paused,
            "concurrencyPolicy": spec.concurrency,
            "startingDeadlineSeconds": STARTING_DEADLINE_SECONDS,
            "successfulJobsHistoryLimit": max(job_limit, spec.history_success),
            "failedJobsHistoryLimit": max(job_limit, spec.history_failed),
            "jobTemplate": {
                "metadata": {"labels": labels},
                "spec": _job_spec(labels, build_pod_spec(spec, url, image, hosts, location), spec),
            },
        },
    }
    digest = hashlib.sha256(orjson.dumps(body["spec"], option=orjson.OPT_SORT_KEYS)).hexdigest()
    body["metadata"]["annotations"] = {DIGEST_ANNOTATION: digest[:16]}
    return body


def requested_job_name(cron_job: str, cause: str) -> str:
    """Return the name of the Job of a requested run, by the name of the CronJob."""
    return f"{cron_job}-r{hashlib.sha256(cause.encode()).hexdigest()[:9]}"


def build_job(monitor: Object, cron_job: Object, cause: str) -> Object:
    """Return the Job of a requested run; its name depends on the CronJob and the cause alone."""
    template = cron_job["spec"]["jobTemplate"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": requested_job_name(cron_job["metadata"]["name"], cause),
            "namespace": monitor["metadata"]["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": {f"{GROUP}/cause": cause[:200]},
            "ownerReferences": [owner_reference(monitor)],
        },
        "spec": template["spec"],
    }


def owner_reference(monitor: Object) -> Object:
    """Return an owner reference to the monitor, for cascading deletion."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": monitor["metadata"]["name"],
        "uid": monitor["metadata"]["uid"],
        "controller": True,
    }


def is_owned_by(thing: Object, monitor: Object) -> bool:
    """Return whether a monitor owns an object."""
    owners = thing["metadata"].get("ownerReferences", [])
    return any(entry["uid"] == monitor["metadata"]["uid"] for entry in owners)


def location_of(thing: Object) -> str:
    """Return the location of a CronJob or a Job; empty without one."""
    return str((thing["metadata"].get("labels") or {}).get(LOCATION_LABEL, ""))


def matches(desired: Any, live: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return whether a live object contains everything desired.

    Fields that the API server adds, and empty lists and objects that it omits, are ignored.
    """
    if isinstance(desired, dict):
        return isinstance(live, dict) and all(
            matches(value, live.get(key, value if value in ({}, []) else None))
            for key, value in desired.items()
        )
    if isinstance(desired, list):
        return (
            isinstance(live, list)
            and len(desired) == len(live)
            and all(map(matches, desired, live))
        )
    return bool(desired == live)


def _labels(monitor: Object, image: ProbeImage, location: Location) -> dict[str, str]:
    return {
        **image.labels,
        "app.kubernetes.io/name": "synthetic",
        "app.kubernetes.io/component": "probe",
        "app.kubernetes.io/managed-by": "synthetic-operator",
        MONITOR_LABEL: monitor["metadata"]["name"],
        UID_LABEL: monitor["metadata"]["uid"],
        **({LOCATION_LABEL: location.name} if location.name else {}),
    }


def _job_spec(labels: dict[str, str], pod: Object, spec: Spec) -> Object:
    metadata: Object = {"labels": {**spec.pod.get("labels", {}), **labels}}
    if spec.pod.get("annotations"):
        metadata["annotations"] = spec.pod["annotations"]
    return {
        "backoffLimit": 0,
        "activeDeadlineSeconds": spec.job_deadline,
        "podFailurePolicy": {  # a drained node is not a failure
            "rules": [
                {
                    "action": "Ignore",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                }
            ]
        },
        "template": {"metadata": metadata, "spec": pod},
    }
