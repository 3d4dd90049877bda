"""Create, update and restore the CronJob of a monitor."""

from dataclasses import dataclass

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.conditions import Condition
from synthetic.operator.cronjob import (
    DIGEST_ANNOTATION,
    build_cron_job,
    cron_job_name,
    is_owned_by,
    matches,
)
from synthetic.operator.journey_check import JourneyChecker
from synthetic.operator.maintenance import Maintenance
from synthetic.operator.probe_pod import ProbeImage
from synthetic.operator.resources import CRON_JOBS, Object
from synthetic.operator.secret_binding import bound_hosts
from synthetic.operator.spec import Schedule, Spec, SpecError
from synthetic.operator.target_url import find_url

BAD_REQUEST, FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 400, 403, 404, 422
REJECTION_REASONS = {
    BAD_REQUEST: "Refused",
    FORBIDDEN: "Forbidden",
    NOT_FOUND: "Refused",
    UNPROCESSABLE: "Refused",
}


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


async def ensure_cron_job(
    api: ApiClient,
    monitor: Object,
    spec: Spec,
    image: ProbeImage,
    journeys: JourneyChecker,
    maintenance: Maintenance,
) -> tuple[str, CronJobState]:
    """Create or update the CronJob; return the target's URL and the resulting state."""
    namespace = monitor["metadata"]["namespace"]
    live = await api.get(CRON_JOBS, namespace, cron_job_name(monitor))
    owned = live if live is not None and is_owned_by(live, monitor) else None
    url = ""
    try:
        spec.schedule.after(maintenance.now)
        if maintenance.windows.problem:
            raise maintenance.windows.problem
        await journeys.check(namespace, spec)
        url = await find_url(api, namespace, spec.target)
        _check_ownership(live, monitor)
        hosts = await bound_hosts(api, namespace, spec, url)
        desired = build_cron_job(monitor, spec, url, image, hosts, paused=maintenance.pauses)
        return url, await _apply(api, monitor, desired, live)
    except SpecError as error:
        if owned is not None and (error.reason == "SecretNotBound" or maintenance.pauses):
            owned = await _suspend(api, owned)
        return url, CronJobState(not_ready(error.reason, str(error)), owned)
    except ApiError as error:
        if error.status not in REJECTION_REASONS:
            raise
        return url, CronJobState(not_ready(REJECTION_REASONS[error.status], error.message), owned)


async def _apply(
    api: ApiClient, monitor: Object, desired: Object, live: Object | None
) -> CronJobState:
    """Create or replace the CronJob; a write without changes leaves its generation."""
    known: int = (monitor.get("status") or {}).get("cronJob", {}).get("generation", 0)
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


async def _suspend(api: ApiClient, cron_job: Object) -> Object:
    """Suspend a CronJob that cannot be updated: runs would reveal credentials, or are paused."""
    if cron_job["spec"].get("suspend"):
        return cron_job
    spec = {**cron_job["spec"], "suspend": True}
    return await api.replace(CRON_JOBS, {**cron_job, "spec": spec})


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
