"""Makes one monitor as it must be, from what the cluster holds now; what happened is no matter."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from synthetic.operator import events
from synthetic.operator.api_client import (
    CRON_JOBS,
    DEPLOYMENTS,
    GROUP,
    JOBS,
    MONITORS,
    Api,
    ApiError,
    Object,
)
from synthetic.operator.cronjob import (
    DIGEST,
    UID_LABEL,
    ProbeImage,
    as_wanted,
    build_cron_job,
    build_job,
    cron_job_name,
    is_ours,
)
from synthetic.operator.history import History
from synthetic.operator.monitor_cache import Key, Store
from synthetic.operator.run_collector import look_at, pods_of
from synthetic.operator.run_result import blocked, ended_with, finished
from synthetic.operator.spec import Spec, SpecError
from synthetic.operator.status import Condition, Handled, Observed, build_status
from synthetic.operator.target_url import find_url

RUN_REQUESTED = f"{GROUP}/run-requested-at"
REVISION = "deployment.kubernetes.io/revision"
INVALID, FORBIDDEN = 422, 403
OF_OTHERS = frozenset({"NoAddress", "NoIngress", "NameTaken"})  # of objects that nobody watches
REFUSALS = {400: "Refused", FORBIDDEN: "Forbidden", INVALID: "Refused"}

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
        self, api: Api, store: Store, image: ProbeImage, clock: Callable[[], datetime]
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
        spec = Spec.of(monitor)
        url, state = await self._schedule(monitor, spec)
        jobs = await self._jobs(monitor)
        ready = await self._ready(state, namespace, jobs)
        history = History.read(monitor.get("status") or {})
        runs = [
            await look_at(self._api, job)
            for job in jobs
            if finished(job) and not history.has(job["metadata"]["uid"])
        ]
        history = history.count(runs, [job["metadata"]["uid"] for job in jobs])
        handled = await self._run_if_asked(monitor, spec, state, jobs)
        observed = Observed(
            ready=ready,
            url=url,
            cron_job=cron_job_name(monitor) if state.live else "",
            cron_job_generation=state.generation,
            last=max(runs, key=lambda run: run.finished_at, default=None),
            handled=handled,
        )
        status = build_status(monitor, spec, history, observed, self._clock())
        await self._write(monitor, status, restored=state.restored)
        await self._prune(spec, jobs, history)
        return ready.reason in OF_OTHERS

    async def _schedule(self, monitor: Object, spec: Spec) -> tuple[str, CronJobState]:
        """Make the CronJob as it must be, and return the target's URL and how that went."""
        live = await self._api.get(
            CRON_JOBS, monitor["metadata"]["namespace"], cron_job_name(monitor)
        )
        url = ""
        try:
            spec.schedule.after(self._clock())
            url = await find_url(self._api, monitor["metadata"]["namespace"], spec)
            _refuse_foreign(live, monitor)
            desired = build_cron_job(monitor, spec, url, self._image)
            return url, await self._make(monitor, desired, live)
        except SpecError as error:
            mine = live if live is not None and is_ours(live, monitor) else None
            return url, CronJobState(_not_ready(error.reason, str(error)), mine)
        except ApiError as error:
            if error.status not in REFUSALS:
                raise
            return url, CronJobState(_not_ready(REFUSALS[error.status], error.message), live)

    async def _make(self, monitor: Object, desired: Object, live: Object | None) -> CronJobState:
        """Create or mend the CronJob. A write that changes nothing leaves its generation."""
        known: int = (monitor.get("status") or {}).get("cronJob", {}).get("generation", 0)
        ready = Condition("Ready", "True", "Scheduled", "The CronJob is as wanted")
        if live is None:
            made = await self._api.create(CRON_JOBS, desired)
            if made is None:
                raise ApiError(409, "the CronJob appeared meanwhile")
            return CronJobState(ready, made, restored=known > 0)
        if as_wanted(desired, live) and live["metadata"]["generation"] == known:
            return CronJobState(ready, live)
        asked_for_it = (
            live["metadata"].get("annotations", {}).get(DIGEST)
            != desired["metadata"]["annotations"][DIGEST]
        )
        desired["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        mended = await self._api.replace(CRON_JOBS, desired)
        changed = mended["metadata"]["generation"] != live["metadata"]["generation"]
        return CronJobState(ready, mended, restored=changed and known > 0 and not asked_for_it)

    async def _ready(self, state: CronJobState, namespace: str, jobs: list[Object]) -> Condition:
        """Return the condition Ready, which is False too while a probe cannot start."""
        if state.ready.status != "True":
            return state.ready
        for job in jobs:
            if job.get("status", {}).get("active"):
                for pod in await pods_of(self._api, job):
                    if blocked(pod):
                        name = pod["metadata"]["name"]
                        what = f"Pod {name} in {namespace} cannot start: {blocked(pod)}"
                        return _not_ready("ProbeCannotStart", what)
        return state.ready

    async def _jobs(self, monitor: Object) -> list[Object]:
        uid = monitor["metadata"]["uid"]
        selectors = {"labelSelector": f"{UID_LABEL}={uid}"}
        return await self._api.list(JOBS, monitor["metadata"]["namespace"], selectors)

    async def _run_if_asked(
        self, monitor: Object, spec: Spec, state: CronJobState, jobs: list[Object]
    ) -> Handled:
        """Start what was asked for by annotation or rollout, once each, and return all of it."""
        status: Object = monitor.get("status") or {}
        before: Object = status.get("handled", {})
        asked = monitor["metadata"].get("annotations", {}).get(RUN_REQUESTED, "")
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
        handled = Handled(asked, rollouts)
        if not causes:
            return handled
        busy = any(not finished(job) for job in jobs) and spec.concurrency == "Forbid"
        if state.live is None or state.ready.status != "True" or busy:
            # the Job's end, or the next change, brings us here again
            return Handled(before.get("runRequestedAt", ""), before.get("rollouts", {}))
        await self._api.create(JOBS, build_job(monitor, state.live, " ".join(causes)))
        return handled

    async def _rollouts(
        self, monitor: Object, spec: Spec, before: dict[str, str]
    ) -> dict[str, str]:
        """Return the revision of each watched Deployment, the last that was rolled out whole."""
        found = {}
        for name in spec.deployments:
            deployment = await self._api.get(DEPLOYMENTS, monitor["metadata"]["namespace"], name)
            if deployment is not None and _rolled_out(deployment):
                found[name] = deployment["metadata"].get("annotations", {}).get(REVISION, "")
            elif name in before:
                found[name] = before[name]
        return found

    async def _write(self, monitor: Object, status: Object, *, restored: bool) -> None:
        """Write the status if it is another one, and tell of what has changed."""
        old: Object = monitor.get("status") or {}
        if status != old:
            monitor["status"] = status
            monitor = await self._api.replace(MONITORS, monitor, "status")
        self._store.put(monitor)
        for event in events.of(monitor, old, status, restored=restored, now=self._clock()):
            await events.post(self._api, event)

    async def _prune(self, spec: Spec, jobs: list[Object], history: History) -> None:
        """Delete the Jobs that are counted and older than those that are kept."""
        for kind, kept in (("Complete", spec.keep_passed), ("Failed", spec.keep_failed)):
            counted = [
                job
                for job in jobs
                if ended_with(job) == kind and history.has(job["metadata"]["uid"])
            ]
            counted.sort(key=lambda job: str(job["metadata"]["creationTimestamp"]), reverse=True)
            for job in counted[kept:]:
                metadata = job["metadata"]
                await self._api.delete(JOBS, metadata["namespace"], metadata["name"])


def _refuse_foreign(live: Object | None, monitor: Object) -> None:
    if live is not None and not is_ours(live, monitor):
        what = f"The CronJob {live['metadata']['name']} belongs to somebody else: delete it, or "
        raise SpecError("NameTaken", f"{what}give the monitor another name")


def _not_ready(reason: str, message: str) -> Condition:
    return Condition("Ready", "False", reason, message)


def _rolled_out(deployment: Object) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )
