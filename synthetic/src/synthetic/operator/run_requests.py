"""Runs on request: by annotation of a monitor, or after the rollout of a Deployment."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.conditions import location_entry
from synthetic.operator.cronjob import build_job, location_of
from synthetic.operator.cronjob_writer import REJECTION_REASONS
from synthetic.operator.observation import HandledTriggers
from synthetic.operator.resources import DEPLOYMENTS, GROUP, JOBS, Object
from synthetic.operator.run_result import is_finished
from synthetic.operator.spec import Spec

RUN_REQUESTED_ANNOTATION = f"{GROUP}/run-requested-at"
REVISION_ANNOTATION = "deployment.kubernetes.io/revision"
MAX_TRIGGER_LENGTH = 200  # characters of an annotation that the status records
MAX_REVISION_LENGTH = 20  # of a Deployment: a number
MAX_NAME_LENGTH = 63  # of a Deployment; a longer one is recorded by its digest


@dataclass(frozen=True)
class RequestedRuns:
    """The handled triggers, and the error of the API server that kept others unhandled."""

    handled: HandledTriggers
    error: ApiError | None = None

    @property
    def is_refused(self) -> bool:
        """True if the API server rejected the request, rather than failed to process it."""
        return self.error is not None and self.error.status in REJECTION_REASONS


async def handle_run_requests(
    api: ApiClient,
    monitor: Object,
    spec: Spec,
    cron_jobs: Mapping[str, Object | None],
    jobs: list[Object],
) -> dict[str, RequestedRuns]:
    """Create one Job in each location for all new triggers, and return those handled so far.

    Without the location's ready CronJob, while its Job runs and ``concurrency`` is Forbid, or if
    the API server rejects a request, the triggers stay unhandled until the next reconciliation.
    """
    before = {location: _handled_before(monitor, location) for location in cron_jobs}
    try:
        revisions = await _completed_revisions(api, monitor, spec)
    except ApiError as error:
        return {location: RequestedRuns(each, error) for location, each in before.items()}
    done = {}
    for location, cron_job in cron_jobs.items():
        now = _current(monitor, spec, before[location], revisions)
        causes = _causes(before[location], now, location, spec)
        active = [each for each in jobs if location_of(each) == location and not is_finished(each)]
        is_busy = bool(active) and spec.concurrency == "Forbid"
        handled, refusal = now, None
        if causes and (cron_job is None or is_busy):
            handled = before[location]
        elif causes and cron_job is not None:
            try:
                await api.create(JOBS, build_job(monitor, cron_job, " ".join(causes)))
            except ApiError as error:
                handled, refusal = before[location], error
        done[location] = RequestedRuns(handled, refusal)
    return done


def combine(requested: Mapping[str, RequestedRuns], monitor: Object) -> RequestedRuns:
    """Return the triggers that all locations have handled, and the first error."""
    handled = [each.handled for each in requested.values()]
    is_same = all(each == handled[0] for each in handled)
    error = next((each.error for each in requested.values() if each.error), None)
    return RequestedRuns(handled[0] if is_same else _handled_before(monitor), error)


def _handled_before(monitor: Object, location: str = "") -> HandledTriggers:
    """Return what a location has handled; a new one starts with what all have."""
    status: Object = monitor.get("status") or {}
    entry = location_entry(status, location)
    return HandledTriggers.read(entry if "handled" in entry else status)


def _current(
    monitor: Object, spec: Spec, before: HandledTriggers, revisions: dict[str, str]
) -> HandledTriggers:
    """Return all triggers; a Deployment that is rolling out keeps the revision before."""
    annotations = monitor["metadata"].get("annotations", {})
    names = [_recorded_name(name) for name in spec.deployments]
    known = {**before.rollouts, **revisions}
    return HandledTriggers(
        annotations.get(RUN_REQUESTED_ANNOTATION, "")[:MAX_TRIGGER_LENGTH],
        {name: known[name] for name in names if name in known},
    )


def _causes(before: HandledTriggers, now: HandledTriggers, location: str, spec: Spec) -> list[str]:
    """Return the new triggers of a location; a request may be restricted to another one."""
    requested = now.run_requested_at
    wanted = requested.rpartition("@")[2]
    is_elsewhere = wanted != location and wanted in {each.name for each in spec.locations}
    is_requested = requested not in {"", before.run_requested_at} and not is_elsewhere
    return [
        *([f"annotation {requested}"] if is_requested else []),
        *(
            f"rollout {name} {revision}"
            for name, revision in now.rollouts.items()
            if before.rollouts.get(name, revision) != revision
        ),
    ]


async def _completed_revisions(api: ApiClient, monitor: Object, spec: Spec) -> dict[str, str]:
    """Return the revision of each watched Deployment that is rolled out."""
    revisions = {}
    for name in spec.deployments:
        deployment = await api.get(DEPLOYMENTS, monitor["metadata"]["namespace"], name)
        if deployment is not None and _is_rolled_out(deployment):
            annotations = deployment["metadata"].get("annotations", {})
            revision = annotations.get(REVISION_ANNOTATION, "")[:MAX_REVISION_LENGTH]
            revisions[_recorded_name(name)] = revision
    return revisions


def _recorded_name(name: str) -> str:
    if len(name) <= MAX_NAME_LENGTH:
        return name
    return f"{name[: MAX_NAME_LENGTH - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _is_rolled_out(deployment: Object) -> bool:
    status, replicas = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == replicas
        and status.get("replicas", 0) == replicas
        and status.get("availableReplicas", 0) == replicas
    )
