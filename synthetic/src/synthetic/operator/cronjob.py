"""From a monitor to its CronJob: a pure function, and nothing but one."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson

from synthetic.operator.resources import GROUP, KIND, VERSION, Object
from synthetic.operator.spec import Spec

MONITOR_LABEL = f"{GROUP}/monitor"
UID_LABEL = f"{GROUP}/monitor-uid"
DIGEST_ANNOTATION = f"{GROUP}/digest"
CONTAINER_NAME = "probe"
JOB_HISTORY_LIMIT = 100  # Jobs of each kind that stay uncounted when no operator is there
STARTING_DEADLINE_SECONDS = 60  # seconds after which a start that was missed is skipped
MAX_NAME_LENGTH = 52  # of a CronJob: Kubernetes adds eleven characters for a Job
CREDENTIALS_DIR, JOURNEY_DIR, CA_DIR = "/run/secrets/synthetic", "/journey", "/authorities"

DEFAULT_RESOURCES: Object = {
    "requests": {"cpu": "20m", "memory": "64Mi"},
    "limits": {"memory": "128Mi"},
}


@dataclass(frozen=True)
class ProbeImage:
    """Which image replays journeys, and how nodes get it."""

    name: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)  # of the pods, for network policies


def cron_job_name(monitor: Object) -> str:
    """Return the name of a monitor's CronJob: never that of an earlier monitor of its name."""
    name, uid = monitor["metadata"]["name"], monitor["metadata"]["uid"]
    digest = hashlib.sha256(uid.encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME_LENGTH - 9].rstrip('-.')}-{digest}"


def build_cron_job(monitor: Object, spec: Spec, url: str, image: ProbeImage) -> Object:
    """Return the CronJob that replays a monitor's journey against ``url``."""
    labels = _labels(monitor, image)
    body: Object = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": cron_job_name(monitor),
            "namespace": monitor["metadata"]["namespace"],
            "labels": labels,
            "ownerReferences": [owner_reference(monitor)],
        },
        "spec": {
            "schedule": spec.schedule.cron,
            "timeZone": spec.schedule.zone,
            "suspend": spec.suspend,
            "concurrencyPolicy": spec.concurrency,
            "startingDeadlineSeconds": STARTING_DEADLINE_SECONDS,
            "successfulJobsHistoryLimit": max(JOB_HISTORY_LIMIT, spec.history_success),
            "failedJobsHistoryLimit": max(JOB_HISTORY_LIMIT, spec.history_failed),
            "jobTemplate": {
                "metadata": {"labels": labels},
                "spec": _job_spec(spec, url, image, labels),
            },
        },
    }
    digest = hashlib.sha256(orjson.dumps(body["spec"], option=orjson.OPT_SORT_KEYS)).hexdigest()
    body["metadata"]["annotations"] = {DIGEST_ANNOTATION: digest[:16]}
    return body


def build_job(monitor: Object, cron_job: Object, cause: str) -> Object:
    """Return the Job of a run that was asked for: the same Job for the same cause."""
    template = cron_job["spec"]["jobTemplate"]
    digest = hashlib.sha256(cause.encode()).hexdigest()[:9]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{cron_job_name(monitor)}-r{digest}",
            "namespace": monitor["metadata"]["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": {f"{GROUP}/cause": cause[:200]},
            "ownerReferences": [owner_reference(monitor)],
        },
        "spec": template["spec"],
    }


def owner_reference(monitor: Object) -> Object:
    """Return the reference by which what we make goes when the monitor goes."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": monitor["metadata"]["name"],
        "uid": monitor["metadata"]["uid"],
        "controller": True,
    }


def is_owned_by(thing: Object, monitor: Object) -> bool:
    """Tell whether an object belongs to a monitor."""
    owners = thing["metadata"].get("ownerReferences", [])
    return any(entry["uid"] == monitor["metadata"]["uid"] for entry in owners)


def matches(desired: Any, live: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Tell whether all that is desired is there.

    Keys that the API server adds do not count, nor empty lists and objects that it leaves out.
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


def _labels(monitor: Object, image: ProbeImage) -> dict[str, str]:
    return {
        **image.labels,
        "app.kubernetes.io/name": "synthetic",
        "app.kubernetes.io/component": "probe",
        "app.kubernetes.io/managed-by": "synthetic-operator",
        MONITOR_LABEL: monitor["metadata"]["name"],
        UID_LABEL: monitor["metadata"]["uid"],
    }


def _job_spec(spec: Spec, url: str, image: ProbeImage, labels: dict[str, str]) -> Object:
    return {
        "backoffLimit": 0,
        "activeDeadlineSeconds": spec.job_deadline,
        "podFailurePolicy": {  # a node that is drained is no outage
            "rules": [
                {
                    "action": "Ignore",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                }
            ]
        },
        "template": {"metadata": {"labels": labels}, "spec": _pod_spec(spec, url, image)},
    }


def _pod_spec(spec: Spec, url: str, image: ProbeImage) -> Object:
    volumes, mounts = _volumes(spec)
    return {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": spec.pod_deadline,
        "terminationGracePeriodSeconds": spec.cleanup + 5,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "imagePullSecrets": [{"name": name} for name in image.pull_secrets],
        "containers": [
            {
                "name": CONTAINER_NAME,
                "image": image.name,
                "imagePullPolicy": image.pull_policy,
                "command": ["synthetic"],
                "args": _arguments(spec, url),
                "env": _environment(spec),
                "terminationMessagePath": "/dev/termination-log",
                "resources": spec.resources or DEFAULT_RESOURCES,
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }


def _arguments(spec: Spec, url: str) -> list[str]:
    arguments = [
        *("probe", spec.journey),
        *("--url", url),
        *("--timeout", str(spec.timeout)),
        *("--cleanup", str(spec.cleanup)),
        *("--retries", str(spec.retries)),
        *("--output", "json"),
        *("--termination-log", "/dev/termination-log"),
    ]
    if spec.credentials:
        arguments += ["--credentials", CREDENTIALS_DIR]
    if spec.journey_from:
        arguments += ["--file", f"{JOURNEY_DIR}/{spec.journey_from.key}"]
    return arguments


def _environment(spec: Spec) -> list[Object]:
    if spec.ca_from is None:
        return []
    return [{"name": "SSL_CERT_FILE", "value": f"{CA_DIR}/{spec.ca_from.key}"}]


def _volumes(spec: Spec) -> tuple[list[Object], list[Object]]:
    volumes: list[Object] = [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}]
    mounts: list[Object] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - of the pod alone
    if spec.credentials:
        secret = {"secretName": spec.credentials, "defaultMode": 0o440}
        volumes.append({"name": "credentials", "secret": secret})
        mounts.append({"name": "credentials", "mountPath": CREDENTIALS_DIR, "readOnly": True})
    for name, source, path in (
        ("journey", spec.journey_from, JOURNEY_DIR),
        ("authorities", spec.ca_from, CA_DIR),
    ):
        if source:
            volumes.append({"name": name, "configMap": {"name": source.name}})
            mounts.append({"name": name, "mountPath": path, "readOnly": True})
    return volumes, mounts
