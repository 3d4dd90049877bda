"""The Jobs of a monitor: which are its own, and which are deleted after they are counted."""

from collections.abc import Iterable

from synthetic.operator.api_client import ApiClient
from synthetic.operator.cronjob import UID_LABEL, is_owned_by, location_of
from synthetic.operator.cronjob_writer import suspend
from synthetic.operator.history import History
from synthetic.operator.resources import CRON_JOBS, JOBS, Object
from synthetic.operator.run_result import end_condition, is_finished
from synthetic.operator.spec import Spec

STALE_CHECK_SECONDS = 1.0  # until a suspended CronJob has no Job that it created last


async def list_jobs(api: ApiClient, monitor: Object, cron_jobs: Iterable[Object]) -> list[Object]:
    """Return the Jobs that the monitor or its CronJobs own; the label alone is no proof."""
    uid = monitor["metadata"]["uid"]
    selectors = {"labelSelector": f"{UID_LABEL}={uid}"}
    found = await api.list(JOBS, monitor["metadata"]["namespace"], selectors)
    owners = [monitor, *cron_jobs]
    return [job for job in found if any(is_owned_by(job, owner) for owner in owners)]


async def delete_held_open(api: ApiClient, listed: list[Object], jobs: list[Object]) -> None:
    """Delete the counted Jobs that only a sidecar keeps open, or the next run would wait."""
    for before, job in zip(listed, jobs, strict=True):
        if not is_finished(before) and is_finished(job):
            await _delete(api, job)


async def prune_jobs(api: ApiClient, spec: Spec, jobs: list[Object], history: History) -> None:
    """Delete counted Jobs beyond the history limits of the spec, which each location has."""
    for location in {location_of(job) for job in jobs}:
        own = [job for job in jobs if location_of(job) == location]
        for kind, limit in (("Complete", spec.history_success), ("Failed", spec.history_failed)):
            counted = [
                job
                for job in own
                if end_condition(job) == kind and history.is_counted(job["metadata"]["uid"])
            ]
            counted.sort(key=lambda job: str(job["metadata"]["creationTimestamp"]), reverse=True)
            for job in counted[limit:]:
                await _delete(api, job)


async def retire(
    api: ApiClient, stale: Iterable[Object], jobs: list[Object], history: History
) -> float | None:
    """Suspend the CronJobs of removed locations; delete them once their runs are counted.

    Return the seconds until the next check, or None if the end of a Job is the next one.
    """
    delays = []
    for cron_job in stale:
        metadata = cron_job["metadata"]
        own = [job for job in jobs if is_owned_by(job, cron_job)]
        is_pending = any(
            not is_finished(job) or not history.is_counted(job["metadata"]["uid"]) for job in own
        )
        if not cron_job["spec"].get("suspend"):
            await suspend(api, cron_job)
            delays.append(STALE_CHECK_SECONDS)
        elif not is_pending:
            await api.delete(CRON_JOBS, metadata["namespace"], metadata["name"])
    return min(delays, default=None)


async def _delete(api: ApiClient, job: Object) -> None:
    metadata = job["metadata"]
    await api.delete(JOBS, metadata["namespace"], metadata["name"])
