"""The operator's reconciler with a fake cluster and a fake clock."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from synthetic.operator.api_client import ApiClient
from synthetic.operator.conditions import condition
from synthetic.operator.cronjob import (
    LOCATION_LABEL,
    MONITOR_LABEL,
    UID_LABEL,
    location_of,
    owner_reference,
)
from synthetic.operator.exposition import exposition
from synthetic.operator.maintenance_cache import MaintenanceCache
from synthetic.operator.maintenance_status import MaintenanceReconciler
from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.notification_sender import NotificationSender
from synthetic.operator.notifier import Notifier
from synthetic.operator.probe_pod import ProbeImage
from synthetic.operator.reconcile import Reconciler
from synthetic.operator.resources import (
    CRON_JOBS,
    JOBS,
    MAINTENANCES,
    MONITORS,
    PODS,
    Object,
    Resource,
)
from synthetic.operator.run_requests import RUN_REQUESTED_ANNOTATION
from tests.support.synthetic.fake_cluster import FakeCluster, ObjectPath
from tests.support.synthetic.kubernetes_objects import job, monitor, pod

NAMESPACE = "here"
IMAGE = ProbeImage("r.example/synthetic:1")
START = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


@dataclass
class OperatorHarness:
    """One namespace of a fake cluster, and the actions of its users and controllers."""

    cluster: FakeCluster
    api: ApiClient
    url: str
    kubeconfig: Path
    cache: MonitorCache = field(default_factory=MonitorCache)
    now: datetime = START
    notifier: Notifier | None = None  # without one, nothing is delivered

    async def reconcile(self, name: str = "shop") -> float | None:
        """Reconcile a monitor one second later, with a new reconciler."""
        self.now += timedelta(seconds=1)
        reconciler = await self.reconciler()
        return await reconciler.reconcile((NAMESPACE, name))

    async def reconcile_at(self, minute: float) -> float | None:
        """Reconcile a second before some minutes after the start."""
        self.now = START + timedelta(minutes=minute, seconds=-1)
        return await self.reconcile()

    async def reconciler(self) -> Reconciler:
        """Return a new reconciler with the current cluster-wide maintenance."""
        maintenances = MaintenanceCache(self.api, lambda: self.now)
        await maintenances.refresh()
        notifier = self.notifier or Notifier(
            NotificationSender(self.api, ()), lambda _: None, lambda: self.now
        )
        return Reconciler(self.api, self.cache, maintenances, notifier, IMAGE, lambda: self.now)

    async def reconcile_maintenance(self, name: str) -> float | None:
        """Reconcile a cluster-wide maintenance one second later, with a new reconciler."""
        self.now += timedelta(seconds=1)
        return await MaintenanceReconciler(self.api, lambda: self.now).reconcile(name)

    def metrics(self) -> str:
        """Return the text of the monitors' metrics."""
        return b"".join(exposition(self.cache, self.now)).decode()

    def add_maintenance(self, name: str = "upgrade", **spec: Any) -> Object:
        """Create a cluster-wide maintenance as a user."""
        made = {"metadata": {"name": name}, "spec": {"reason": "Upgrade", **spec}}
        return self.cluster.create(ObjectPath.of(MAINTENANCES.path("")), made)

    def maintenance_conditions(self, name: str = "upgrade") -> dict[str, tuple[str, str]]:
        """Return status and message of each condition of a cluster-wide maintenance."""
        found = self.cluster.get(ObjectPath.of(MAINTENANCES.path("", name)))
        return {
            each["type"]: (each["status"], each["message"])
            for each in found["status"]["conditions"]
        }

    def add(self, resource: Resource, thing: Object) -> Object:
        """Create an object as another client."""
        return self.cluster.create(ObjectPath.of(resource.path(NAMESPACE)), thing)

    def change(self, resource: Resource, thing: Object, part: str = "") -> Object:
        """Replace an object or a subresource as another client, whatever its version."""
        name, metadata = thing["metadata"]["name"], {**thing["metadata"]}
        metadata.pop("resourceVersion", None)
        thing = {**thing, "metadata": metadata}
        return self.cluster.replace(ObjectPath.of(resource.path(NAMESPACE, name, part)), thing)

    def delete(self, resource: Resource, name: str) -> None:
        """Delete an object as another client."""
        self.cluster.delete(ObjectPath.of(resource.path(NAMESPACE, name)))

    def add_monitor(self, **spec: Any) -> Object:
        """Create the monitor ``shop`` as a user."""
        made = monitor(**spec)
        del made["status"]
        return self.add(MONITORS, made)

    def update_spec(self, **spec: Any) -> None:
        """Change fields of the monitor's spec as a user."""
        self.change(MONITORS, {**self.monitor, "spec": {**self.monitor["spec"], **spec}})

    def change_status(self, status: Object) -> None:
        """Replace the monitor's status as another client."""
        self.change(MONITORS, {**self.monitor, "status": status}, "status")

    def request_run(self, when: str) -> None:
        """Request a run by annotation as a user."""
        metadata = {**self.monitor["metadata"], "annotations": {RUN_REQUESTED_ANNOTATION: when}}
        self.change(MONITORS, {**self.monitor, "metadata": metadata})

    def finish_run(
        self,
        uid: str,
        message: object,
        *,
        ended: str = "Complete",
        minute: int = 0,
        location: str = "",
        code: int = 1,
    ) -> Object:
        """Add a finished Job of the monitor with a pod and its termination message.

        ``code`` is the exit code of a failed one. The Job of a location belongs to the CronJob of
        that, as Kubernetes creates it.
        """
        started = START + timedelta(minutes=minute)
        self.now = max(self.now, started + timedelta(seconds=5))
        at = f"{started:%Y-%m-%dT%H:%M:05Z}"
        made = job(uid, ended=ended, at=at)
        made["metadata"] |= {
            "namespace": NAMESPACE,
            "creationTimestamp": f"{started:%Y-%m-%dT%H:%M:%SZ}",
            "labels": {MONITOR_LABEL: "shop", UID_LABEL: self.monitor["metadata"]["uid"]},
            "ownerReferences": [owner_reference(self.monitor)],
        }
        if location:
            owner = self.cron_jobs[location]["metadata"]
            made["metadata"]["labels"][LOCATION_LABEL] = location
            made["metadata"]["ownerReferences"] = [{"uid": owner["uid"], "name": owner["name"]}]
        made["status"]["startTime"] = f"{started:%Y-%m-%dT%H:%M:%SZ}"
        probe = pod(message, code=code if ended == "Failed" else 0)
        probe["metadata"] |= {
            "name": f"{uid}-x",
            "namespace": NAMESPACE,
            "labels": {"batch.kubernetes.io/controller-uid": uid},
        }
        self.add(PODS, probe)
        return self.add(JOBS, made)

    @property
    def monitor(self) -> Object:
        """The monitor's current object."""
        return self.cluster.get(ObjectPath.of(MONITORS.path(NAMESPACE, "shop")))

    @property
    def status(self) -> Object:
        """The monitor's status."""
        found: Object = self.monitor.get("status") or {}
        return found

    @property
    def cron_job(self) -> Object:
        """The only CronJob of the namespace."""
        (found,) = self.cluster.list_kind(CRON_JOBS.plural)
        return found

    @property
    def cron_jobs(self) -> dict[str, Object]:
        """The CronJobs of the namespace by their locations."""
        return {location_of(each): each for each in self.cluster.list_kind(CRON_JOBS.plural)}

    def ready(self) -> tuple[str, str]:
        """Return the status and the reason of the condition Ready."""
        found = condition(self.status, "Ready")
        return found["status"], found["reason"]

    def healthy(self) -> tuple[str, str]:
        """Return the status and the reason of the condition Healthy."""
        found = condition(self.status, "Healthy")
        return found["status"], found["reason"]

    def maintenance(self) -> tuple[str, str]:
        """Return the status and the reason of the condition Maintenance."""
        found = condition(self.status, "Maintenance")
        return found["status"], found["reason"]

    def events(self) -> list[str]:
        """Return the reasons of the Events."""
        return [event["reason"] for event in self.cluster.list_kind("events")]
