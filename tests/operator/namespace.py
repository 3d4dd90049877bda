"""A namespace of the cluster of KUBECONFIG, and what others than the operator do in it."""

import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from synthetic.operator.api_client import CRON_JOBS, JOBS, MONITORS, PODS, Object, Resource
from synthetic.operator.cronjob import CONTAINER_NAME, MONITOR_LABEL, UID_LABEL, is_owned_by
from synthetic.operator.status import condition
from tests.operator.api_proxy import gate

DEFINITION = Path(__file__).resolve().parents[2] / "charts" / "synthetic" / "files" / "crd.yaml"
NAME = "syntheticmonitors.monitoring.cadastro.dev"
NOBODY = "cadastro.dev/nobody"  # controls these Jobs, and schedules these pods
NAMESPACES = Resource("/api/v1", "namespaces")
PAUSE = 0.02  # seconds between two looks
ENDED_AT = "2026-01-31T10:00:05Z"


class MissError(Exception):
    """What was seen is not what must be seen."""


@dataclass(frozen=True)
class Space:
    """The namespace, through a client whose base is the API server."""

    name: str
    http: httpx.Client

    def get(self, resource: Resource, name: str) -> Object | None:
        """Return an object, or None."""
        answer = self.http.get(resource.path(self.name, name))
        return None if answer.status_code == httpx.codes.NOT_FOUND else _read(answer)

    def all_of(self, resource: Resource) -> list[Object]:
        """Return the objects of a kind."""
        items: list[Object] = []
        more = ""
        while True:
            answer = self.http.get(resource.path(self.name), params={"continue": more})
            page = _read(answer)
            items += page["items"]
            more = page["metadata"].get("continue") or ""
            if not more:
                return items

    def create(self, resource: Resource, thing: Object) -> Object:
        """Create an object."""
        made = {**thing, "metadata": {"namespace": self.name, **thing["metadata"]}}
        return _read(self.http.post(resource.path(self.name), json=made))

    def replace(self, resource: Resource, thing: Object, part: str = "") -> Object:
        """Write an object, or a part of it."""
        path = resource.path(self.name, thing["metadata"]["name"], part)
        return _read(self.http.put(path, json=thing))

    def annotate(self, name: str, annotations: Object) -> None:
        """Annotate a monitor."""
        one = self.monitor(name)
        one["metadata"]["annotations"] = annotations
        self.replace(MONITORS, one)

    def delete(self, resource: Resource, name: str) -> None:
        """Delete an object and what it owns."""
        path = resource.path(self.name, name)
        _read(self.http.request("DELETE", path, json={"propagationPolicy": "Background"}))

    def refusal(self, thing: Object) -> str:
        """Return why a monitor would be refused, or nothing; none is made."""
        path = MONITORS.path(self.name)
        answer = self.http.post(path, params={"dryRun": "All"}, json=thing)
        return "" if answer.is_success else str(answer.json()["message"])

    def monitor(self, name: str) -> Object:
        """Return a monitor that is there."""
        found = self.get(MONITORS, name)
        if found is None:
            raise MissError(f"the monitor {name} is not there")
        return found

    def add_monitor(self, name: str, **spec: object) -> Object:
        """Make a suspended monitor."""
        return self.create(MONITORS, monitor(name, **spec))

    def cron_jobs(self, owner: Object) -> list[Object]:
        """Return the CronJobs of a monitor."""
        return [each for each in self.all_of(CRON_JOBS) if is_owned_by(each, owner)]

    def end_run(self, owner: Object, *, passed: bool, said: str = "") -> Object:
        """Have a Job of a monitor end, and its probe say something; no controller looks at it.

        Return the probe's pod, of which there is none when it says nothing.
        """
        name = f"{owner['metadata']['name'][:40]}-{uuid.uuid4().hex[:8]}"
        made, pod = self.create(JOBS, _job(owner, name)), {}
        if said:
            pod = self.create(PODS, _pod(owner, made))
            self.speak(pod, said, int(not passed))
        self.replace(JOBS, {**made, "status": _ended_job(passed=passed)}, "status")
        return pod

    def speak(self, pod: Object, said: str, code: int) -> None:
        """Have a pod's probe end with an exit code and a message, whatever it has said before."""
        metadata = {
            key: value for key, value in pod["metadata"].items() if key != "resourceVersion"
        }
        ended = {**pod, "metadata": metadata, "status": _ended_pod(said, code)}
        self.replace(PODS, ended, "status")


def monitor(name: str, **spec: object) -> Object:
    """Return a suspended monitor, whose probes no node has room for."""
    whole = {
        "journey": "clients-health",
        "suspend": True,
        "target": {"url": "http://bench.invalid"},
        "resources": {"requests": {"cpu": "1000"}},
        **({} if "schedule" in spec else {"interval": "5m"}),
        **spec,
    }
    kept = {key: value for key, value in whole.items() if value is not None}
    return {
        "apiVersion": "monitoring.cadastro.dev/v1alpha1",
        "kind": "SyntheticMonitor",
        "metadata": {"name": name},
        "spec": kept,
    }


def runs(one: Object) -> Object:
    """Return the totals of a monitor, without those that passed late."""
    totals = (one.get("status") or {}).get("totals", {})
    return {key: value for key, value in totals.items() if key != "passedAfterRetry"}


def ready(one: Object) -> tuple[str, str]:
    """Return the reason and the message of a monitor's condition Ready."""
    found = condition(one.get("status") or {}, "Ready")
    return found.get("reason", ""), found.get("message", "")


def until(
    happened: Callable[[], object], patience: float, otherwise: str, pause: float = PAUSE
) -> float:
    """Wait for something, and return how many seconds it took; raises ``MissError``."""
    began = time.monotonic()
    while not happened():
        if time.monotonic() - began > patience:
            raise MissError(f"after {patience:.0f} s {otherwise}")
        time.sleep(pause)
    return time.monotonic() - began


@contextmanager
def space() -> Iterator[Space]:
    """Have a namespace while the block runs."""
    with gate() as (way, _), httpx.Client(base_url=way.url, timeout=60) as http:
        made = Space(f"cadastro-bench-{uuid.uuid4().hex[:6]}", http)
        body = {"metadata": {"name": made.name}}
        _read(http.post(NAMESPACES.path(""), json=body))
        try:
            yield made
        finally:
            http.delete(NAMESPACES.path("", made.name))


def is_gone(http: httpx.Client, namespace: str) -> bool:
    """Tell whether a namespace is gone."""
    path = NAMESPACES.path("", namespace)
    return http.get(path).status_code == httpx.codes.NOT_FOUND


@contextmanager
def definition() -> Iterator[None]:
    """Have the definition while the block runs; one that is there already stays as it is."""
    found = subprocess.run(
        ["kubectl", "get", "crd", NAME],  # noqa: S607 - the one of the PATH
        capture_output=True,
        check=False,
    )
    ours = found.returncode != 0
    if ours:
        kubectl("create", "-f", str(DEFINITION))
        kubectl("wait", "--for=condition=Established", f"crd/{NAME}")
    try:
        yield
    finally:
        if ours:
            with suppress(subprocess.CalledProcessError):
                kubectl("delete", "crd", NAME)


def kubectl(*arguments: str, stdin: str | None = None) -> None:
    """Run kubectl; what it complains of is shown."""
    subprocess.run(
        ["kubectl", *arguments],  # noqa: S607 - the one of the PATH
        input=stdin,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _job(owner: Object, name: str) -> Object:
    probe = {"name": CONTAINER_NAME, "image": "bench.invalid/none"}
    return {
        "metadata": {"name": name, "labels": _labels(owner)},
        "spec": {
            "managedBy": NOBODY,
            "template": {"spec": {"restartPolicy": "Never", "containers": [probe]}},
        },
    }


def _labels(owner: Object) -> Object:
    return {MONITOR_LABEL: owner["metadata"]["name"], UID_LABEL: owner["metadata"]["uid"]}


def _ended_job(*, passed: bool) -> Object:
    last = {"status": "True", "lastTransitionTime": ENDED_AT, "reason": "BackoffLimitExceeded"}
    kinds = ("SuccessCriteriaMet", "Complete") if passed else ("FailureTarget", "Failed")
    return {
        "startTime": "2026-01-31T10:00:00Z",
        **({"completionTime": ENDED_AT} if passed else {}),
        "succeeded" if passed else "failed": 1,
        "conditions": [{"type": kind, **last} for kind in kinds],
    }


def _pod(owner: Object, job: Object) -> Object:
    probe = {"name": CONTAINER_NAME, "image": "bench.invalid/none"}
    labels = {**_labels(owner), "batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}
    return {
        "metadata": {"name": job["metadata"]["name"], "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "schedulingGates": [{"name": NOBODY}],
            "containers": [probe],
        },
    }


def _ended_pod(said: str, code: int) -> Object:
    terminated = {"exitCode": code, "message": said, "startedAt": ENDED_AT, "finishedAt": ENDED_AT}
    container = {"name": CONTAINER_NAME, "image": "none", "imageID": "", "ready": False}
    state = {"restartCount": 0, "state": {"terminated": terminated}}
    return {"phase": "Failed", "containerStatuses": [{**container, **state}]}


def _read(answer: httpx.Response) -> Object:
    if not answer.is_success:
        raise MissError(f"{answer.request.method} {answer.request.url.path}: {answer.text[:300]}")
    document: Object = answer.json()
    return document
