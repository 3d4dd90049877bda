"""Reconcile one monitor (level-triggered): the result depends on the cluster's state alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from synthetic.operator import events
from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.conditions import (
    Condition,
    location_entry,
    merge_conditions,
    operator_conflict,
)
from synthetic.operator.cronjob_writer import (
    REJECTION_REASONS,
    CronJobs,
    ensure_cron_jobs,
    not_ready,
)
from synthetic.operator.history import History
from synthetic.operator.journey_check import JourneyChecker
from synthetic.operator.maintenance import Maintenance, Windows, own_windows
from synthetic.operator.maintenance_cache import MaintenanceCache
from synthetic.operator.monitor_cache import Key, MonitorCache
from synthetic.operator.monitor_jobs import delete_held_open, prune_jobs, retire
from synthetic.operator.notifier import Notifier
from synthetic.operator.observation import HandledTriggers, Observation
from synthetic.operator.observer import Observed, Observer
from synthetic.operator.probe_pod import ProbeImage
from synthetic.operator.resources import MONITORS, Object
from synthetic.operator.run_result import is_finished
from synthetic.operator.spec import READ_ERRORS, Spec
from synthetic.operator.start_problems import START_GRACE
from synthetic.operator.status import build_status, truncate
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
        self._observer = Observer(api, clock)
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
            cron_jobs = await ensure_cron_jobs(
                self._api, monitor, spec, self._image, self._journeys, maintenance
            )
            observed = await self._observer.observe(
                monitor, spec, cron_jobs, contender, maintenance
            )
            checks = (
                await self._record(monitor, spec, cron_jobs, observed),
                maintenance.next_check,
            )
        except ApiError as error:
            if error.status in REJECTION_REASONS:
                await self._report_rejection(monitor, spec, error, contender, maintenance)
            raise
        if changes != self._maintenances.changes:
            return 0.0
        return min((seconds for seconds in checks if seconds is not None), default=None)

    async def _maintenance(self, monitor: Object, spec: Spec) -> Maintenance:
        """Return the maintenance of a monitor, by its spec and by the cluster."""
        now = self._clock()
        own, shared = own_windows(spec, now), await self._maintenances.windows_of(monitor)
        windows = Windows(own.windows + shared.windows, own.problem)
        return Maintenance.at(windows, monitor["status"], now)

    async def _record(
        self, monitor: Object, spec: Spec, cron_jobs: CronJobs, observed: Observed
    ) -> float | None:
        """Write the status, and delete the Jobs and CronJobs that are no longer needed."""
        jobs, history = observed.jobs, observed.history
        status = build_status(monitor, spec, history, observed.observation, self._clock())
        if notified := self._notifier.settle(monitor, spec, status):
            status["notified"] = notified
        else:
            status.pop("notified", None)
        restored = cron_jobs.restored
        monitor = await self._write_status(monitor, truncate(status), restored=restored)
        notify_again = self._notifier.send_due(monitor, spec)
        await delete_held_open(self._api, observed.listed, jobs)
        await prune_jobs(self._api, spec, jobs, history)
        retired = await retire(self._api, cron_jobs.stale, jobs, history)
        if observed.error:
            raise observed.error
        checks = [_next_check(each.ready, jobs) for each in observed.places]
        checks += [notify_again, retired]
        return min((seconds for seconds in checks if seconds is not None), default=None)

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
        observation = Observation(
            ready=not_ready(reason, f"The API server rejected a request: {error.message}"),
            url=old.get("target", ""),
            handled=HandledTriggers.read(old),
            contender=contender,
            maintenance=maintenance,
        )
        places = {each.name: location_entry(old, each.name) for each in spec.locations}
        locations = {
            name: replace(observation, handled=HandledTriggers.read(each or old))
            for name, each in places.items()
        }
        observation = replace(observation, locations=locations)
        history = History.read(old).located(locations, spec.quorum)
        status = build_status(monitor, spec, history, observation, self._clock())
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


def _next_check(ready: Condition, jobs: list[Object]) -> float | None:
    """Return the seconds until the next check of a problem, or of a Job that may not start."""
    if ready.reason in RETRY_SECONDS:
        return RETRY_SECONDS[ready.reason]
    is_active = any(not is_finished(job) for job in jobs)
    return START_GRACE.total_seconds() if is_active else None
