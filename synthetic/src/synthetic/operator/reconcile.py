"""Makes one monitor as it must be, from what the cluster holds now; what happened is no matter."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from synthetic.operator import events
from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.cronjob import (
    DIGEST_ANNOTATION,
    UID_LABEL,
    ProbeImage,
    build_cron_job,
    build_job,
    cron_job_name,
    is_owned_by,
    matches,
)
from synthetic.operator.history import History
from synthetic.operator.monitor_cache import Key, MonitorCache
from synthetic.operator.resources import CRON_JOBS, DEPLOYMENTS, GROUP, JOBS, MONITORS, Object
from synthetic.operator.run_collector import collect, list_pods
from synthetic.operator.run_result import end_condition, is_finished, start_failure
from synthetic.operator.spec import Spec, SpecError
from synthetic.operator.status import Condition, HandledTriggers, Observation, build_status
from synthetic.operator.target_url import find_url

RUN_REQUESTED_ANNOTATION = f"{GROUP}/run-requested-at"
REVISION_ANNOTATION = "deployment.kubernetes.io/revision"
UNPROCESSABLE, FORBIDDEN = 422, 403
RETRY_REASONS = frozenset({"NoAddress", "NoIngress", "NameTaken"})  # of objects that nobody watches
REJECTION_REASONS = {400: "Refused", FORBIDDEN: "Forbidden", UNPROCESSABLE: "Refused"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CronJobState:
    """A monitor's CronJob after it was made as it must be."""

    ready: Condition
    live: Object | None = None
    restored: bool = False  # somebody had changed or deleted it

    @property
    def generation(self) -> int:
        """The generation that is known to be as wanted; 0 for none."""
        if self.live is None or self.ready.status != "True":
            return 0
        return int(self.live["metadata"]["generation"])


class Reconciler:
    """Reconciles monitors by key."""

    def __init__(
        self, api: ApiClient, store: MonitorCache, image: ProbeImage, clock: Callable[[], datetime]
    ) -> None:
        """Work on the cluster of ``api``, and keep what is known in ``store``."""
        self._api = api
        self._store = store
        self._image = image
        self._clock = clock

    async def reconcile(self, key: Key) -> bool:
        """Make a monitor as it must be; return whether it has to be looked at again soon.

        Raises:
            ApiError: the API server refused or is away; trying again is right.

        """
        namespace, name = key
        monitor = await self._api.get(MONITORS, namespace, name)
        if monitor is None or "deletionTimestamp" in monitor["metadata"]:
            self._store.drop(key)  # what it owns goes with it, whether we are there or not
            return False
        spec = Spec.from_monitor(monitor)
        url, state = await self._ensure_cron_job(monitor, spec)
        jobs = await self._list_jobs(monitor)
        ready = await self._ready_condition(state, namespace, jobs)
        history = History.read(monitor.get("status") or {})
        runs = [
            await collect(self._api, job)
            for job in jobs
            if is_finished(job) and not history.is_counted(job["metadata"]["uid"])
        ]
        history = history.count(runs, [job["metadata"]["uid"] for job in jobs])
        handled = await self._handle_run_requests(monitor, spec, state, jobs)
        observed = Observation(
            ready=ready,
            url=url,
            cron_job=cron_job_name(monitor) if state.live else "",
            cron_job_generation=state.generation,
            last=max(runs, key=lambda run: run.finished_at, default=None),
            handled=handled,
        )
        status = build_status(monitor, spec, history, observed, self._clock())
        await self._write_status(monitor, status, restored=state.restored)
        await self._prune_jobs(spec, jobs, history)
        return ready.reason in RETRY_REASONS

    async def _ensure_cron_job(self, monitor: Object, spec: Spec) -> tuple[str, CronJobState]:
        """Make the CronJob as it must be, and return the target's URL and how that went."""
        live = await self._api.get(
            CRON_JOBS, monitor["metadata"]["namespace"], cron_job_name(monitor)
        )
        url = ""
        try:
            spec.schedule.after(self._clock())
            url = await find_url(self._api, monitor["metadata"]["namespace"], spec)
            _check_ownership(live, monitor)
            desired = build_cron_job(monitor, spec, url, self._image)
            return url, await self._apply_cron_job(monitor, desired, live)
        except SpecError as error:
            mine = live if live is not None and is_owned_by(live, monitor) else None
            return url, CronJobState(_not_ready(error.reason, str(error)), mine)
        except ApiError as error:
            if error.status not in REJECTION_REASONS:
                raise
            return url, CronJobState(
                _not_ready(REJECTION_REASONS[error.status], error.message), live
            )

    async def _apply_cron_job(
        self, monitor: Object, desired: Object, live: Object | None
    ) -> CronJobState:
        """Create or mend the CronJob. A write that changes nothing leaves its generation."""
        known: int = (monitor.get("status") or {}).get("cronJob", {}).get("generation", 0)
        ready = Condition("Ready", "True", "Scheduled", "The CronJob is as wanted")
        if live is None:
            made = await self._api.create(CRON_JOBS, desired)
            if made is None:
                raise ApiError(409, "the CronJob appeared meanwhile")
            return CronJobState(ready, made, restored=known > 0)
        if matches(desired, live) and live["metadata"]["generation"] == known:
            return CronJobState(ready, live)
        asked_for_it = (
            live["metadata"].get("annotations", {}).get(DIGEST_ANNOTATION)
            != desired["metadata"]["annotations"][DIGEST_ANNOTATION]
        )
        desired["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        mended = await self._api.replace(CRON_JOBS, desired)
        changed = mended["metadata"]["generation"] != live["metadata"]["generation"]
        return CronJobState(ready, mended, restored=changed and known > 0 and not asked_for_it)

    async def _ready_condition(
        self, state: CronJobState, namespace: str, jobs: list[Object]
    ) -> Condition:
        """Return the condition Ready, which is False too while a probe cannot start."""
        if state.ready.status != "True":
            return state.ready
        for job in jobs:
            if job.get("status", {}).get("active"):
                for pod in await list_pods(self._api, job):
                    if start_failure(pod):
                        name = pod["metadata"]["name"]
                        what = f"Pod {name} in {namespace} cannot start: {start_failure(pod)}"
                        return _not_ready("ProbeCannotStart", what)
        return state.ready

    async def _list_jobs(self, monitor: Object) -> list[Object]:
        uid = monitor["metadata"]["uid"]
        selectors = {"labelSelector": f"{UID_LABEL}={uid}"}
        return await self._api.list(JOBS, monitor["metadata"]["namespace"], selectors)

    async def _handle_run_requests(
        self, monitor: Object, spec: Spec, state: CronJobState, jobs: list[Object]
    ) -> HandledTriggers:
        """Start what was asked for by annotation or rollout, once each, and return all of it."""
        status: Object = monitor.get("status") or {}
        before: Object = status.get("handled", {})
        asked = monitor["metadata"].get("annotations", {}).get(RUN_REQUESTED_ANNOTATION, "")
        rollouts = await self._rollouts(monitor, spec, before.get("rollouts", {}))
        causes = [
            *(
                [f"annotation {asked}"]
                if asked not in {"", before.get("runRequestedAt", "")}
                else []
            ),
            *(
                f"rollout {name} {revision}"
                for name, revision in rollouts.items()
                if before.get("rollouts", {}).get(name, revision) != revision
            ),
        ]
        handled = HandledTriggers(asked, rollouts)
        if not causes:
            return handled
        busy = any(not is_finished(job) for job in jobs) and spec.concurrency == "Forbid"
        if state.live is None or state.ready.status != "True" or busy:
            # the Job's end, or the next change, brings us here again
            return HandledTriggers(before.get("runRequestedAt", ""), before.get("rollouts", {}))
        await self._api.create(JOBS, build_job(monitor, state.live, " ".join(causes)))
        return handled

    async def _rollouts(
        self, monitor: Object, spec: Spec, before: dict[str, str]
    ) -> dict[str, str]:
        """Return the revision of each watched Deployment, the last that was rolled out whole."""
        found = {}
        for name in spec.deployments:
            deployment = await self._api.get(DEPLOYMENTS, monitor["metadata"]["namespace"], name)
            if deployment is not None and _is_rolled_out(deployment):
                found[name] = (
                    deployment["metadata"].get("annotations", {}).get(REVISION_ANNOTATION, "")
                )
            elif name in before:
                found[name] = before[name]
        return found

    async def _write_status(self, monitor: Object, status: Object, *, restored: bool) -> None:
        """Write the status if it is another one, and tell of what has changed."""
        old: Object = monitor.get("status") or {}
        if status != old:
            monitor["status"] = status
            monitor = await self._api.replace(MONITORS, monitor, "status")
        self._store.put(monitor)
        for event in events.transitions(monitor, old, status, restored=restored, now=self._clock()):
            await events.record(self._api, event)

    async def _prune_jobs(self, spec: Spec, jobs: list[Object], history: History) -> None:
        """Delete the Jobs that are counted and older than those that are kept."""
        for kind, kept in (("Complete", spec.history_success), ("Failed", spec.history_failed)):
            counted = [
                job
                for job in jobs
                if end_condition(job) == kind and history.is_counted(job["metadata"]["uid"])
            ]
            counted.sort(key=lambda job: str(job["metadata"]["creationTimestamp"]), reverse=True)
            for job in counted[kept:]:
                metadata = job["metadata"]
                await self._api.delete(JOBS, metadata["namespace"], metadata["name"])


def _check_ownership(live: Object | None, monitor: Object) -> None:
    if live is not None and not is_owned_by(live, monitor):
        what = f"The CronJob {live['metadata']['name']} belongs to somebody else: delete it, or "
        raise SpecError("NameTaken", f"{what}give the monitor another name")


def _not_ready(reason: str, message: str) -> Condition:
    return Condition("Ready", "False", reason, message)


def _is_rolled_out(deployment: Object) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )
