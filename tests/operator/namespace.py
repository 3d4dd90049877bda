"""Client of a namespace in the cluster of KUBECONFIG."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import httpx

from synthetic.operator.cronjob import is_owned_by
from synthetic.operator.resources import (
    CRON_JOBS,
    JOBS,
    MONITORS,
    NAMESPACES,
    PODS,
    Object,
    Resource,
)
from tests.operator import factories
from tests.operator.api_proxy import api_proxy
from tests.support import steps
from tests.support.commands import ROOT, CommandError, run_command
from tests.support.steps import StepFailed

CRD_FILE = ROOT / "charts" / "synthetic" / "files" / "crd.yaml"
CRD = "syntheticmonitors.monitoring.cadastro.dev"
POLL_SECONDS = 0.02
HTTP_TIMEOUT_SECONDS = 60.0

wait_until = partial(steps.wait_until, interval=POLL_SECONDS)


@dataclass(frozen=True)
class Namespace:
    """The namespace; the base URL of the client is the API server."""

    name: str
    http: httpx.Client

    def get(self, resource: Resource, name: str) -> Object | None:
        """Return an object, or None."""
        response = self.http.get(resource.path(self.name, name))
        return None if response.status_code == httpx.codes.NOT_FOUND else _read(response)

    def list_all(self, resource: Resource) -> list[Object]:
        """Return the objects of a kind."""
        items: list[Object] = []
        more = ""
        while True:
            response = self.http.get(resource.path(self.name), params={"continue": more})
            page = _read(response)
            items += page["items"]
            more = page["metadata"].get("continue") or ""
            if not more:
                return items

    def create(self, resource: Resource, item: Object) -> Object:
        """Create an object."""
        made = {**item, "metadata": {"namespace": self.name, **item["metadata"]}}
        return _read(self.http.post(resource.path(self.name), json=made))

    def replace(self, resource: Resource, item: Object, part: str = "") -> Object:
        """Replace an object or one of its subresources."""
        path = resource.path(self.name, item["metadata"]["name"], part)
        return _read(self.http.put(path, json=item))

    def annotate(self, name: str, annotations: Object) -> None:
        """Annotate a monitor."""
        one = self.monitor(name)
        one["metadata"]["annotations"] = annotations
        self.replace(MONITORS, one)

    def delete(self, resource: Resource, name: str) -> None:
        """Delete an object and its dependents."""
        path = resource.path(self.name, name)
        _read(self.http.request("DELETE", path, json={"propagationPolicy": "Background"}))

    def rejection(self, item: Object) -> str:
        """Return the error for a monitor, or an empty string; none is created."""
        path = MONITORS.path(self.name)
        response = self.http.post(path, params={"dryRun": "All"}, json=item)
        return "" if response.is_success else str(response.json()["message"])

    def monitor(self, name: str) -> Object:
        """Return a monitor, which must exist."""
        found = self.get(MONITORS, name)
        if found is None:
            raise StepFailed(f"the monitor {name} is missing")
        return found

    def add_monitor(self, name: str, **spec: object) -> Object:
        """Create a suspended monitor."""
        return self.create(MONITORS, factories.monitor(name, **spec))

    def cron_jobs(self, owner: Object) -> list[Object]:
        """Return the CronJobs of a monitor."""
        return [each for each in self.list_all(CRON_JOBS) if is_owned_by(each, owner)]

    def end_run(self, owner: Object, *, passed: bool, message: str = "") -> Object:
        """Create a finished Job of a monitor, which no controller syncs.

        Return the probe's pod, which is created only for a termination message.
        """
        name = f"{owner['metadata']['name'][:40]}-{uuid.uuid4().hex[:8]}"
        made, pod = self.create(JOBS, factories.job(owner, name)), {}
        if message:
            pod = self.create(PODS, factories.pod(owner, made))
            self.set_message(pod, message, int(not passed))
        self.replace(
            JOBS, {**made, "status": factories.finished_job_status(passed=passed)}, "status"
        )
        return pod

    def set_message(self, pod: Object, message: str, code: int) -> None:
        """Set the exit code and the termination message of a pod's probe."""
        metadata = {
            key: value for key, value in pod["metadata"].items() if key != "resourceVersion"
        }
        ended = {
            **pod,
            "metadata": metadata,
            "status": factories.finished_pod_status(message, code),
        }
        self.replace(PODS, ended, "status")


@contextmanager
def temporary_namespace() -> Iterator[Namespace]:
    """Create a namespace, and delete it after the block."""
    with (
        api_proxy() as (proxy, _),
        httpx.Client(base_url=proxy.url, timeout=HTTP_TIMEOUT_SECONDS) as http,
    ):
        made = Namespace(f"cadastro-bench-{uuid.uuid4().hex[:6]}", http)
        body = {"metadata": {"name": made.name}}
        _read(http.post(NAMESPACES.path(""), json=body))
        try:
            yield made
        finally:
            http.delete(NAMESPACES.path("", made.name))


def is_deleted(http: httpx.Client, namespace: str) -> bool:
    """Return whether a namespace is deleted."""
    path = NAMESPACES.path("", namespace)
    return http.get(path).status_code == httpx.codes.NOT_FOUND


@contextmanager
def installed_crd() -> Iterator[None]:
    """Install the CRD during the block; an existing one stays unchanged."""
    exists = f"customresourcedefinition.apiextensions.k8s.io/{CRD}" in run_command(
        "kubectl", "get", "crd", "-o", "name"
    )
    if not exists:
        run_command("kubectl", "create", "-f", str(CRD_FILE))
        run_command("kubectl", "wait", "--for=condition=Established", f"crd/{CRD}")
    try:
        yield
    finally:
        if not exists:
            with suppress(CommandError):
                run_command("kubectl", "delete", "crd", CRD)


def _read(response: httpx.Response) -> Object:
    if not response.is_success:
        raise StepFailed(
            f"{response.request.method} {response.request.url.path}: {response.text[:300]}"
        )
    document: Object = response.json()
    return document
