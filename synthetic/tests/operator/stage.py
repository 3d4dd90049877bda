"""What the operator's tests play on: a cluster, the operator's client, and a clock."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apiserver import Cluster, Place
from monitors import job, monitor, pod

from synthetic.operator.api_client import (
    CRON_JOBS,
    JOBS,
    MONITORS,
    PODS,
    ApiClient,
    Object,
    Resource,
)
from synthetic.operator.cronjob import MONITOR_LABEL, UID_LABEL, ProbeImage
from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.reconcile import RUN_REQUESTED_ANNOTATION, Reconciler
from synthetic.operator.status import condition

HERE = "here"
IMAGE = ProbeImage("r.example/synthetic:1")
START = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


@dataclass
class Stage:
    """One namespace, and what others than the operator do in it."""

    cluster: Cluster
    api: ApiClient
    url: str
    kubeconfig: Path
    store: MonitorCache = field(default_factory=MonitorCache)
    now: datetime = START

    async def look(self, name: str = "shop") -> bool:
        """Reconcile a monitor as an operator that has just started, a second later."""
        self.now += timedelta(seconds=1)
        return await Reconciler(self.api, self.store, IMAGE, lambda: self.now).reconcile(
            (HERE, name)
        )

    def add(self, resource: Resource, thing: Object) -> Object:
        """Have somebody else create an object."""
        return self.cluster.create(Place.of(resource.path(HERE)), thing)

    def change(self, resource: Resource, thing: Object, part: str = "") -> Object:
        """Have somebody else write an object, or a part of it, whatever was there."""
        name, metadata = thing["metadata"]["name"], {**thing["metadata"]}
        metadata.pop("resourceVersion", None)
        thing = {**thing, "metadata": metadata}
        return self.cluster.replace(Place.of(resource.path(HERE, name, part)), thing)

    def delete(self, resource: Resource, name: str) -> None:
        """Have somebody else delete an object."""
        self.cluster.delete(Place.of(resource.path(HERE, name)))

    def add_monitor(self, **spec: Any) -> Object:
        """Have a user create the monitor ``shop``."""
        made = monitor(**spec)
        del made["status"]
        return self.add(MONITORS, made)

    def respec(self, **spec: Any) -> None:
        """Have a user change fields of the monitor's spec."""
        self.change(MONITORS, {**self.monitor, "spec": {**self.monitor["spec"], **spec}})

    def ask_for_a_run(self, when: str) -> None:
        """Have a user annotate the monitor."""
        metadata = {**self.monitor["metadata"], "annotations": {RUN_REQUESTED_ANNOTATION: when}}
        self.change(MONITORS, {**self.monitor, "metadata": metadata})

    def end_run(
        self, uid: str, said: object, *, ended: str = "Complete", minute: int = 0
    ) -> Object:
        """Have a Job of the monitor end, with what its pod's probe said."""
        at = f"2026-01-31T09:{minute:02}:05Z"
        made = job(uid, ended=ended, at=at)
        made["metadata"] |= {
            "namespace": HERE,
            "labels": {MONITOR_LABEL: "shop", UID_LABEL: self.monitor["metadata"]["uid"]},
        }
        made["status"]["startTime"] = f"2026-01-31T09:{minute:02}:00Z"
        probe = pod(said, code=int(ended == "Failed"))
        probe["metadata"] |= {
            "name": f"{uid}-x",
            "namespace": HERE,
            "labels": {"batch.kubernetes.io/controller-uid": uid},
        }
        self.add(PODS, probe)
        return self.add(JOBS, made)

    @property
    def monitor(self) -> Object:
        """The monitor as it is kept now."""
        return self.cluster.get(Place.of(MONITORS.path(HERE, "shop")))

    @property
    def status(self) -> Object:
        """Its status."""
        found: Object = self.monitor.get("status") or {}
        return found

    @property
    def cron_job(self) -> Object:
        """Its CronJob: there is one, and no second."""
        (found,) = self.cluster.of_kind(CRON_JOBS.plural)
        return found

    def ready(self) -> tuple[str, str]:
        """Return the status and the reason of its condition Ready."""
        found = condition(self.status, "Ready")
        return found["status"], found["reason"]

    def events(self) -> list[str]:
        """Return the reasons of the Events."""
        return [event["reason"] for event in self.cluster.of_kind("events")]
