"""Reconcile one monitor (level-triggered): the result depends on the cluster's state alone."""

from collections.abc import Callable
from datetime import datetime

from synthetic.operator import events
from synthetic.operator.api_client import ApiClient
from synthetic.operator.conditions import Condition
from synthetic.operator.cronjob import UID_LABEL, cron_job_name
from synthetic.operator.cronjob_writer import CronJobState, ensure_cron_job, not_ready
from synthetic.operator.history import History
from synthetic.operator.monitor_cache import Key, MonitorCache
from synthetic.operator.probe_pod import ProbeImage
from synthetic.operator.resources import JOBS, MONITORS, Object
from synthetic.operator.run_collector import collect, list_pods
from synthetic.operator.run_requests import handle_run_requests
from synthetic.operator.run_result import end_condition, is_finished, start_failure
from synthetic.operator.spec import Spec
from synthetic.operator.status import Observation, build_status

RETRY_REASONS = frozenset({"NoAddress", "NoIngress", "NameTaken"})  # of objects without a watch


class Reconciler:
    """Reconciles monitors by key."""

    def __init__(
        self, api: ApiClient, cache: MonitorCache, image: ProbeImage, clock: Callable[[], datetime]
    ) -> None:
        """Use the cluster of ``api``, and update ``cache`` with each monitor."""
        self._api = api
        self._cache = cache
        self._image = image
        self._clock = clock

    async def reconcile(self, key: Key) -> bool:
        """Reconcile a monitor; return whether it needs another reconciliation soon.

        Raises:
            ApiError: the API server is unavailable or rejected a request; retry later.

        """
        namespace, name = key
        monitor = await self._api.get(MONITORS, namespace, name)
        if monitor is None or "deletionTimestamp" in monitor["metadata"]:
            self._cache.remove(key)  # Kubernetes deletes the objects that it owns
            return False
        spec = Spec.from_monitor(monitor)
        url, state = await ensure_cron_job(self._api, monitor, spec, self._image, self._clock())
        jobs = await self._list_jobs(monitor)
        ready = await self._ready_condition(state, namespace, jobs)
        history = History.read(monitor.get("status") or {})
        runs = [
            await collect(self._api, job)
            for job in jobs
            if is_finished(job) and not history.is_counted(job["metadata"]["uid"])
        ]
        history = history.count(runs, [job["metadata"]["uid"] for job in jobs])
        observation = Observation(
            ready=ready,
            url=url,
            cron_job=cron_job_name(monitor) if state.live else "",
            cron_job_generation=state.generation,
            last=max(runs, key=lambda run: run.finished_at, default=None),
            handled=await handle_run_requests(self._api, monitor, spec, state.ready_cron_job, jobs),
        )
        status = build_status(monitor, spec, history, observation, self._clock())
        await self._write_status(monitor, status, restored=state.restored)
        await self._prune_jobs(spec, jobs, history)
        return ready.reason in RETRY_REASONS

    async def _ready_condition(
        self, state: CronJobState, namespace: str, jobs: list[Object]
    ) -> Condition:
        """Return the condition Ready, which is also False while a probe cannot start."""
        if state.ready.status != "True":
            return state.ready
        for job in jobs:
            if job.get("status", {}).get("active"):
                for pod in await list_pods(self._api, job):
                    failure = start_failure(pod)
                    if failure:
                        pod_name = pod["metadata"]["name"]
                        message = f"Pod {pod_name} in {namespace} cannot start: {failure}"
                        return not_ready("ProbeCannotStart", message)
        return state.ready

    async def _list_jobs(self, monitor: Object) -> list[Object]:
        uid = monitor["metadata"]["uid"]
        selectors = {"labelSelector": f"{UID_LABEL}={uid}"}
        return await self._api.list(JOBS, monitor["metadata"]["namespace"], selectors)

    async def _write_status(self, monitor: Object, status: Object, *, restored: bool) -> None:
        """Write a changed status, and record Events for its transitions."""
        old: Object = monitor.get("status") or {}
        if status != old:
            monitor["status"] = status
            monitor = await self._api.replace(MONITORS, monitor, "status")
        self._cache.upsert(monitor)
        for event in events.transitions(monitor, old, status, restored=restored, now=self._clock()):
            await events.record(self._api, event)

    async def _prune_jobs(self, spec: Spec, jobs: list[Object], history: History) -> None:
        """Delete counted Jobs beyond the history limits of the spec."""
        for kind, limit in (("Complete", spec.history_success), ("Failed", spec.history_failed)):
            counted = [
                job
                for job in jobs
                if end_condition(job) == kind and history.is_counted(job["metadata"]["uid"])
            ]
            counted.sort(key=lambda job: str(job["metadata"]["creationTimestamp"]), reverse=True)
            for job in counted[limit:]:
                metadata = job["metadata"]
                await self._api.delete(JOBS, metadata["namespace"], metadata["name"])
