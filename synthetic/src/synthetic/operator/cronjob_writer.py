"""Create, update and restore the CronJobs of a monitor: one for each location."""

from dataclasses import dataclass

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.conditions import Condition, location_entry
from synthetic.operator.cronjob import (
    DIGEST_ANNOTATION,
    UID_LABEL,
    build_cron_job,
    cron_job_name,
    is_owned_by,
    location_of,
    matches,
)
from synthetic.operator.journey_check import JourneyChecker
from synthetic.operator.maintenance import Maintenance
from synthetic.operator.probe_pod import ProbeImage
from synthetic.operator.resources import CRON_JOBS, Object
from synthetic.operator.secret_binding import NO_HOSTS, bound_hosts
from synthetic.operator.spec import Schedule, Spec, SpecError
from synthetic.operator.target_url import find_url

BAD_REQUEST, FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 400, 403, 404, 422
REJECTION_REASONS = {
    BAD_REQUEST: "Refused",
    FORBIDDEN: "Forbidden",
    NOT_FOUND: "Refused",
    UNPROCESSABLE: "Refused",
}
MONITOR_FIELDS = (
    ("spec.jobTemplate.spec.template.spec.containers[0].resources", "spec.resources"),
    ("spec.jobTemplate.spec.template.spec.", "spec.pod."),
    ("spec.jobTemplate.spec.template.metadata.", "spec.pod."),
)


@dataclass(frozen=True)
class CronJobState:
    """A monitor's CronJob after its reconciliation."""

    ready: Condition
    live: Object | None = None
    restored: bool = False  # another client had changed or deleted it

    @property
    def ready_cron_job(self) -> Object | None:
        """The CronJob, or None while the condition Ready is not True."""
        return self.live if self.ready.status == "True" else None

    @property
    def generation(self) -> int:
        """The generation that matches the monitor; 0 without one."""
        found = self.ready_cron_job
        return int(found["metadata"]["generation"]) if found is not None else 0

    @property
    def schedule(self) -> Schedule | None:
        """The schedule that the CronJob carries out; None if it is missing or suspended."""
        if self.live is None or self.live["spec"].get("suspend"):
            return None
        cron = self.live["spec"]["schedule"]
        return Schedule(cron, self.live["spec"].get("timeZone") or "Etc/UTC", cron)


def not_ready(reason: str, message: str) -> Condition:
    """Return the condition Ready with the status False."""
    return Condition("Ready", "False", reason, message)


@dataclass(frozen=True)
class CronJobs:
    """The CronJobs of a monitor after their reconciliation."""

    url: str  # of the target; empty if that cannot be determined
    states: dict[str, CronJobState]  # by location
    stale: tuple[Object, ...] = ()  # of locations that the spec no longer has

    @property
    def live(self) -> list[Object]:
        """All CronJobs that exist."""
        return [*(state.live for state in self.states.values() if state.live), *self.stale]

    @property
    def restored(self) -> bool:
        """True if another client had changed or deleted one."""
        return any(state.restored for state in self.states.values())


async def ensure_cron_jobs(
    api: ApiClient,
    monitor: Object,
    spec: Spec,
    image: ProbeImage,
    journeys: JourneyChecker,
    maintenance: Maintenance,
) -> CronJobs:
    """Create or update the CronJob of each location."""
    namespace = monitor["metadata"]["namespace"]
    found = await _find(api, monitor, spec)
    owned = {name: each for name, each in found.items() if is_owned_by(each, monitor)}
    names = {each.name: cron_job_name(monitor, each.name) for each in spec.places}
    stale = tuple(each for name, each in owned.items() if name not in names.values())
    url, hosts = "", NO_HOSTS
    try:
        spec.schedule.after(maintenance.now)
        if maintenance.windows.problem:
            raise maintenance.windows.problem
        await journeys.check(namespace, spec)
        url = await find_url(api, namespace, spec.target)
        hosts = await bound_hosts(api, namespace, spec, url)
        problem = None
    except (SpecError, ApiError) as error:
        problem = error
    states = {}
    for location in spec.places:
        name = names[location.name]
        try:
            if problem:
                raise problem
            live = found.get(name)
            _check_ownership(live, monitor)
            desired = build_cron_job(
                monitor, spec, url, image, hosts, paused=maintenance.pauses, location=location
            )
            states[location.name] = await _apply(api, monitor, desired, live)
        except SpecError as error:
            live = owned.get(name)
            if live is not None and (error.reason == "SecretNotBound" or maintenance.pauses):
                live = await suspend(api, live)
            states[location.name] = CronJobState(not_ready(error.reason, str(error)), live)
        except ApiError as error:
            if error.status not in REJECTION_REASONS:
                raise
            ready = not_ready(
                REJECTION_REASONS[error.status], _with_fields_of_monitor(error.message)
            )
            states[location.name] = CronJobState(ready, owned.get(name))
    return CronJobs(url, states, stale)


async def _find(api: ApiClient, monitor: Object, spec: Spec) -> dict[str, Object]:
    """Return by name the CronJobs with the monitor's label, and those with its names."""
    metadata = monitor["metadata"]
    selectors = {"labelSelector": f"{UID_LABEL}={metadata['uid']}"}
    listed = await api.list(CRON_JOBS, metadata["namespace"], selectors)
    found = {each["metadata"]["name"]: each for each in listed}
    for location in spec.places:
        name = cron_job_name(monitor, location.name)
        if name not in found:  # missing, of another owner, or without its label
            other = await api.get(CRON_JOBS, metadata["namespace"], name)
            found |= {name: other} if other is not None else {}
    return found


async def _apply(
    api: ApiClient, monitor: Object, desired: Object, live: Object | None
) -> CronJobState:
    """Create or replace the CronJob; a write without changes leaves its generation."""
    known = _known_generation(monitor, location_of(desired))
    ready = Condition("Ready", "True", "Scheduled", "The CronJob matches the monitor")
    if live is None:
        created = await api.create(CRON_JOBS, desired)
        if created is None:
            raise ApiError(409, "another client created the CronJob at the same time")
        return CronJobState(ready, created, restored=known > 0)
    if matches(desired, live) and live["metadata"]["generation"] == known:
        return CronJobState(ready, live)
    desired["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    written = await api.replace(CRON_JOBS, desired)
    is_changed = written["metadata"]["generation"] != live["metadata"]["generation"]
    is_restored = is_changed and known > 0 and _digest(live) == _digest(desired)
    return CronJobState(ready, written, restored=is_restored)


def _known_generation(monitor: Object, location: str) -> int:
    """Return the generation that the status has for the CronJob of a location; 0 without one."""
    status: Object = monitor.get("status") or {}
    recorded = location_entry(status, location) if location else status
    return int(recorded.get("cronJob", {}).get("generation", 0))


async def suspend(api: ApiClient, cron_job: Object) -> Object:
    """Suspend a CronJob that cannot be updated: runs would reveal credentials, or are paused.

    So is one of a removed location.
    """
    if cron_job["spec"].get("suspend"):
        return cron_job
    spec = {**cron_job["spec"], "suspend": True}
    return await api.replace(CRON_JOBS, {**cron_job, "spec": spec})


def _with_fields_of_monitor(message: str) -> str:
    """Return a message of the API server with the fields of a monitor for those of its CronJob."""
    for path, field in MONITOR_FIELDS:
        message = message.replace(path, field)
    return message


def _digest(cron_job: Object) -> str | None:
    """Return the digest of the spec that the operator wrote last."""
    digest: str | None = cron_job["metadata"].get("annotations", {}).get(DIGEST_ANNOTATION)
    return digest


def _check_ownership(live: Object | None, monitor: Object) -> None:
    if live is not None and not is_owned_by(live, monitor):
        raise SpecError(
            "NameTaken",
            f"The CronJob {live['metadata']['name']} belongs to another owner: delete it, or "
            "rename the monitor",
        )
