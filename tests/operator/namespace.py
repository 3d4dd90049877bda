"""Client of a namespace in the cluster of KUBECONFIG."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import yaml

from synthetic.operator.cronjob import is_owned_by
from synthetic.operator.resources import (
    CRON_JOBS,
    JOBS,
    MAINTENANCES,
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

CHART_FILES = ROOT / "charts" / "synthetic" / "files"
CRD_FILE, MAINTENANCE_CRD_FILE = CHART_FILES / "crd.yaml", CHART_FILES / "maintenance-crd.yaml"
CRD = "syntheticmonitors.monitoring.cadastro.dev"
CLUSTER_SCOPED = (MAINTENANCES,)
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
        response = self.http.get(self._path(resource, name))
        return None if response.status_code == httpx.codes.NOT_FOUND else _read(response)

    def list_all(self, resource: Resource) -> list[Object]:
        """Return the objects of a kind."""
        items: list[Object] = []
        more = ""
        while True:
            response = self.http.get(self._path(resource), params={"continue": more})
            page = _read(response)
            items += page["items"]
            more = page["metadata"].get("continue") or ""
            if not more:
                return items

    def create(self, resource: Resource, item: Object) -> Object:
        """Create an object."""
        place = {} if resource in CLUSTER_SCOPED else {"namespace": self.name}
        made = {**item, "metadata": {**place, **item["metadata"]}}
        return _read(self.http.post(self._path(resource), json=made))

    def replace(self, resource: Resource, item: Object, part: str = "") -> Object:
        """Replace an object or one of its subresources."""
        path = self._path(resource, item["metadata"]["name"], part)
        return _read(self.http.put(path, json=item))

    def annotate(self, name: str, annotations: Object) -> None:
        """Annotate a monitor."""
        one = self.monitor(name)
        one["metadata"]["annotations"] = annotations
        self.replace(MONITORS, one)

    def delete(self, resource: Resource, name: str) -> None:
        """Delete an object and its dependents."""
        path = self._path(resource, name)
        _read(self.http.request("DELETE", path, json={"propagationPolicy": "Background"}))

    def rejection(self, item: Object, resource: Resource) -> str:
        """Return the error for an object, as kubectl gets it; none is created."""
        params = {"dryRun": "All", "fieldValidation": "Strict"}
        response = self.http.post(self._path(resource), params=params, json=item)
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

    def _path(self, resource: Resource, name: str = "", part: str = "") -> str:
        return resource.path("" if resource in CLUSTER_SCOPED else self.name, name, part)


@contextmanager
def temporary_namespace() -> Iterator[Namespace]:
    """Create a namespace, and delete it after the block."""
    with existing_namespace(f"cadastro-bench-{uuid.uuid4().hex[:6]}") as made:
        body = {"metadata": {"name": made.name}}
        _read(made.http.post(NAMESPACES.path(""), json=body))
        try:
            yield made
        finally:
            made.http.delete(NAMESPACES.path("", made.name))


@contextmanager
def existing_namespace(name: str) -> Iterator[Namespace]:
    """Open a namespace, whose objects stay after the block."""
    with (
        api_proxy() as (proxy, _),
        httpx.Client(base_url=proxy.url, timeout=HTTP_TIMEOUT_SECONDS) as http,
    ):
        yield Namespace(name, http)


def is_deleted(http: httpx.Client, namespace: str) -> bool:
    """Return whether a namespace is deleted."""
    path = NAMESPACES.path("", namespace)
    return http.get(path).status_code == httpx.codes.NOT_FOUND


@contextmanager
def installed_crds(*files: Path) -> Iterator[None]:
    """Install definitions during the block; existing ones stay unchanged."""
    found = run_command("kubectl", "get", "crd", "-o", "name").split()
    missing = [file for file in files if _first_definition(file) not in found]
    try:
        for file in missing:
            run_command("kubectl", "create", "-f", str(file))
            run_command("kubectl", "wait", "--for=condition=Established", "-f", str(file))
        yield
    finally:
        for file in missing:
            with suppress(CommandError):
                run_command("kubectl", "delete", "-f", str(file))


def _first_definition(file: Path) -> str:
    first: Object = next(yaml.safe_load_all(file.read_text()))
    return f"customresourcedefinition.apiextensions.k8s.io/{first['metadata']['name']}"


def _read(response: httpx.Response) -> Object:
    if not response.is_success:
        raise StepFailed(
            f"{response.request.method} {response.request.url.path}: {response.text[:300]}"
        )
    document: Object = response.json()
    return document
