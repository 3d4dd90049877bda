"""Reconcile one monitor (level-triggered): the result depends on the cluster's state alone."""

from collections.abc import Callable
from datetime import datetime

from synthetic.operator import events
from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.conditions import Condition, merge_conditions, operator_conflict
from synthetic.operator.cronjob import UID_LABEL, cron_job_name, is_owned_by
from synthetic.operator.cronjob_writer import (
    REJECTION_REASONS,
    CronJobState,
    ensure_cron_job,
    not_ready,
)
from synthetic.operator.history import History
from synthetic.operator.incident_tracker import count_runs
from synthetic.operator.journey_check import JourneyChecker
from synthetic.operator.maintenance import Maintenance, Windows, maintenance_end, own_windows
from synthetic.operator.maintenance_cache import MaintenanceCache
from synthetic.operator.monitor_cache import Key, MonitorCache
from synthetic.operator.notifier import Notifier
from synthetic.operator.probe_pod import ProbeImage
from synthetic.operator.resources import JOBS, MONITORS, Object
from synthetic.operator.run_collector import collect, finish_held_open
from synthetic.operator.run_requests import RequestedRuns, handle_run_requests
from synthetic.operator.run_result import NOT_STARTED, end_condition, is_finished
from synthetic.operator.spec import READ_ERRORS, Spec
from synthetic.operator.start_problems import LATE_START, START_GRACE, current_problem, refused_job
from synthetic.operator.status import HandledTriggers, Observation, build_status, truncate
from synthetic.operator.stored_status import read_status
from synthetic.operator.target import KINDS

RETRY_SECONDS = {  # by reason of the condition Ready, for causes without a watch
    **dict.fromkeys(("NoAddress", "NameTaken", "SecretNotBound"), 5.0),
    **dict.fromkeys((f"No{kind}" for kind in KINDS.values()), 5.0),
    **dict.fromkeys(("NoJourney", "JourneyInvalid"), 15.0),
    "RunRefused": 30.0,
}
MAX_PATHS = 5  # in one Event


class Reconciler:
    """Reconciles monitors by key."""

    def __init__(
        self,
        api: ApiClient,
        cache: MonitorCache,
        maintenances: MaintenanceCache,
        notifier: Notifier,
        image: ProbeImage,
        clock: Callable[[], datetime],
    ) -> None:
        """Use the cluster of ``api``, and update ``cache`` with each monitor."""
        self._api = api
        self._cache = cache
        self._maintenances = maintenances
        self._notifier = notifier
        self._image = image
        self._journeys = JourneyChecker(api)
        self._clock = clock

    async def reconcile(self, key: Key, contender: str = "") -> float | None:
        """Reconcile a monitor; return the seconds until it needs another reconciliation.

        ``contender`` is another operator that watches the namespace.

        Raises:
            ApiError: the API server is unavailable or rejected a request; retry later.

        """
        namespace, name = key
        monitor = await self._api.get(MONITORS, namespace, name)
        if monitor is None or "deletionTimestamp" in monitor["metadata"]:
            self._cache.remove(key)  # Kubernetes deletes the objects that it owns
            return None
        monitor["status"], unreadable = read_status(monitor, self._clock())
        if unreadable:
            await self._record_unreadable(monitor, unreadable)
        try:
            spec = Spec.from_monitor(monitor)
        except READ_ERRORS as error:  # the CRD's schema was a wider one when it was created
            await self._report_unreadable_spec(monitor, error, contender)
            return None
        changes = self._maintenances.changes
        maintenance = await self._maintenance(monitor, spec)
        try:
            url, state = await ensure_cron_job(
                self._api, monitor, spec, self._image, self._journeys, maintenance
            )
            delay = await self._observe(monitor, spec, url, state, contender, maintenance)
        except ApiError as error:
            if error.status in REJECTION_REASONS:
                await self._report_rejection(monitor, spec, error, contender, maintenance)
            raise
        return delay if changes == self._maintenances.changes else 0.0

    async def _maintenance(self, monitor: Object, spec: Spec) -> Maintenance:
        """Return the maintenance of a monitor, by its spec and by the cluster."""
        now = self._clock()
        own, shared = own_windows(spec, now), await self._maintenances.windows_of(monitor)
        return Maintenance.at(Windows(own.windows + shared.windows, own.problem), now)

    async def _observe(
        self,
        monitor: Object,
        spec: Spec,
        url: str,
        state: CronJobState,
        contender: str,
        maintenance: Maintenance,
    ) -> float | None:
        """Count the finished runs, start the requested ones, and write the status."""
        listed = await self._list_jobs(monitor, state.live)
        jobs = await finish_held_open(self._api, listed)
        history = History.read(monitor["status"])
        runs = [
            maintenance.windows.mark(await collect(self._api, job, self._clock()))
            for job in jobs
            if is_finished(job) and not history.is_counted(job["metadata"]["uid"])
        ]
        ended = maintenance_end(maintenance.active, monitor["status"], self._clock())
        uids = [job["metadata"]["uid"] for job in jobs]
        history = count_runs(history, runs, uids, spec, ended)
        requested = await handle_run_requests(self._api, monitor, spec, state.ready_cron_job, jobs)
        last = max(runs, key=lambda run: run.finished_at, default=None)
        detail = last.detail if last else _last_detail(monitor)
        observation = Observation(
            ready=await self._ready_condition(state, jobs, requested, detail),
            url=url,
            cron_job=cron_job_name(monitor) if state.live else "",
            cron_job_generation=state.generation,
            schedule=state.schedule,
            last=last,
            handled=requested.handled,
            contender=contender,
            maintenance=maintenance.active,
        )
        status = build_status(monitor, spec, history, observation, self._clock())
        if notified := self._notifier.settle(monitor, spec, status):
            status["notified"] = notified
        else:
            status.pop("notified", None)
        monitor = await self._write_status(monitor, truncate(status), restored=state.restored)
        notify_again = self._notifier.send_due(monitor, spec)
        await self._delete_held_open(listed, jobs)
        await self._prune_jobs(spec, jobs, history)
        if requested.error and not requested.is_refused:
            raise requested.error
        checks = (_next_check(observation.ready, jobs), maintenance.next_check, notify_again)
        return min((seconds for seconds in checks if seconds is not None), default=None)

    async def _ready_condition(
        self, state: CronJobState, jobs: list[Object], requested: RequestedRuns, last_detail: str
    ) -> Condition:
        """Return the condition Ready, which is also False while runs cannot start."""
        if state.ready.status != "True":
            return state.ready
        if requested.error and requested.is_refused:
            refusal = f"The API server refused a requested run: {requested.error.message}"
            return not_ready("RunRefused", refusal)
        now = self._clock()
        problem = await current_problem(self._api, jobs, now)
        problem = problem or await self._cron_job_problem(state, now)
        if not problem and last_detail.startswith(NOT_STARTED):
            problem = f"The last run did not start: {last_detail}"
        return not_ready("ProbeCannotStart", problem) if problem else state.ready

    async def _cron_job_problem(self, state: CronJobState, now: datetime) -> str:
        """Return why the CronJob has not created a Job that is due, or an empty string."""
        if state.live is None or state.schedule is None:
            return ""
        last = (state.live.get("status") or {}).get("lastScheduleTime")
        since = last or state.live["metadata"]["creationTimestamp"]
        due = state.schedule.after(datetime.fromisoformat(since))
        if now < due + LATE_START:
            return ""
        problem = await refused_job(self._api, state.live, due)
        return f"The CronJob creates no Job: {problem}" if problem else ""

    async def _report_rejection(
        self,
        monitor: Object,
        spec: Spec,
        error: ApiError,
        contender: str,
        maintenance: Maintenance,
    ) -> None:
        """Write a rejected request to the status: otherwise that would keep its last state."""
        old: Object = monitor["status"]
        reason = REJECTION_REASONS[error.status]
        handled = old.get("handled", {})
        observation = Observation(
            ready=not_ready(reason, f"The API server rejected a request: {error.message}"),
            url=old.get("target", ""),
            handled=HandledTriggers(handled.get("runRequestedAt", ""), handled.get("rollouts", {})),
            contender=contender,
            maintenance=maintenance.active,
        )
        status = build_status(monitor, spec, History.read(old), observation, self._clock())
        await self._write_status(monitor, status, restored=False)

    async def _record_unreadable(self, monitor: Object, paths: list[str]) -> None:
        """Record an Event, and replace the stored status by its readable part."""
        written = await self._api.replace(MONITORS, monitor, "status")
        monitor["metadata"]["resourceVersion"] = written["metadata"]["resourceVersion"]
        shown = ", ".join(paths[:MAX_PATHS]) + (", ..." if len(paths) > MAX_PATHS else "")
        message = f"The stored status is unreadable, and counts as empty, at {shown}"
        warning = ("Warning", "StatusUnreadable")
        await events.record(self._api, events.build(monitor, warning, message, self._clock()))

    async def _report_unreadable_spec(
        self, monitor: Object, error: Exception, contender: str
    ) -> None:
        message = f"The spec does not match this version of the operator: {error!r}"
        old, now = monitor["status"], self._clock()
        conditions = [
            not_ready("SpecUnreadable", message),
            Condition("Healthy", "Unknown", "NotReady", f"SpecUnreadable: {message}"),
            *operator_conflict(contender),
        ]
        merged = merge_conditions(old, conditions, monitor["metadata"]["generation"], now)
        kept = {name: value for name, value in old.items() if name != "maintenance"}
        await self._write_status(monitor, {**kept, "conditions": merged}, restored=False)

    async def _list_jobs(self, monitor: Object, cron_job: Object | None) -> list[Object]:
        """Return the Jobs that the monitor or its CronJob owns; the label alone is no proof."""
        uid = monitor["metadata"]["uid"]
        selectors = {"labelSelector": f"{UID_LABEL}={uid}"}
        found = await self._api.list(JOBS, monitor["metadata"]["namespace"], selectors)
        owners = [monitor, *([cron_job] if cron_job else [])]
        return [job for job in found if any(is_owned_by(job, owner) for owner in owners)]

    async def _write_status(self, monitor: Object, status: Object, *, restored: bool) -> Object:
        """Write a changed status, record Events for its transitions, and return the monitor."""
        old: Object = monitor["status"]
        if status != old:
            monitor["status"] = status
            monitor = await self._api.replace(MONITORS, monitor, "status")
        self._cache.upsert(monitor)
        for event in events.transitions(monitor, old, status, restored=restored, now=self._clock()):
            await events.record(self._api, event)
        return monitor

    async def _delete_held_open(self, listed: list[Object], jobs: list[Object]) -> None:
        """Delete the counted Jobs that only a sidecar keeps open, or the next run would wait."""
        for before, job in zip(listed, jobs, strict=True):
            if not is_finished(before) and is_finished(job):
                await self._api.delete(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])

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


def _last_detail(monitor: Object) -> str:
    last: Object = monitor["status"].get("lastRun", {})
    return str(last.get("detail", ""))


def _next_check(ready: Condition, jobs: list[Object]) -> float | None:
    """Return the seconds until the next check of a problem, or of a Job that may not start."""
    if ready.reason in RETRY_SECONDS:
        return RETRY_SECONDS[ready.reason]
    is_active = any(not is_finished(job) for job in jobs)
    return START_GRACE.total_seconds() if is_active else None
