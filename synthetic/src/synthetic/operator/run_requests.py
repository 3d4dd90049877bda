"""Runs on request: by annotation of a monitor, or after the rollout of a Deployment."""

import hashlib
from dataclasses import dataclass

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.cronjob import build_job
from synthetic.operator.cronjob_writer import REJECTION_REASONS
from synthetic.operator.resources import DEPLOYMENTS, GROUP, JOBS, Object
from synthetic.operator.run_result import is_finished
from synthetic.operator.spec import Spec
from synthetic.operator.status import HandledTriggers

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
    api: ApiClient, monitor: Object, spec: Spec, cron_job: Object | None, jobs: list[Object]
) -> RequestedRuns:
    """Create one Job for all new triggers, and return the triggers handled so far.

    Without a ready ``cron_job``, while a Job runs and ``concurrency`` is Forbid, or if the API
    server rejects a request, the triggers stay unhandled until the next reconciliation.
    """
    status: Object = monitor.get("status") or {}
    before: Object = status.get("handled", {})
    try:
        return RequestedRuns(await _handle(api, monitor, spec, cron_job, jobs, before))
    except ApiError as error:
        return RequestedRuns(_unchanged(before), error)


async def _handle(
    api: ApiClient,
    monitor: Object,
    spec: Spec,
    cron_job: Object | None,
    jobs: list[Object],
    before: Object,
) -> HandledTriggers:
    annotations = monitor["metadata"].get("annotations", {})
    requested_at = annotations.get(RUN_REQUESTED_ANNOTATION, "")[:MAX_TRIGGER_LENGTH]
    rollouts = await _current_rollouts(api, monitor, spec, before.get("rollouts", {}))
    triggers = _new_triggers(before, requested_at, rollouts)
    handled = HandledTriggers(requested_at, rollouts)
    if not triggers:
        return handled
    is_busy = any(not is_finished(job) for job in jobs) and spec.concurrency == "Forbid"
    if cron_job is None or is_busy:
        return _unchanged(before)
    await api.create(JOBS, build_job(monitor, cron_job, " ".join(triggers)))
    return handled


def _unchanged(before: Object) -> HandledTriggers:
    return HandledTriggers(before.get("runRequestedAt", ""), before.get("rollouts", {}))


def _new_triggers(before: Object, requested_at: str, rollouts: dict[str, str]) -> list[str]:
    is_requested = requested_at not in {"", before.get("runRequestedAt", "")}
    seen = before.get("rollouts", {})
    return [
        *([f"annotation {requested_at}"] if is_requested else []),
        *(
            f"rollout {name} {revision}"
            for name, revision in rollouts.items()
            if seen.get(name, revision) != revision
        ),
    ]


async def _current_rollouts(
    api: ApiClient, monitor: Object, spec: Spec, before: dict[str, str]
) -> dict[str, str]:
    """Return the last completed revision of each watched Deployment."""
    revisions = {}
    for name in spec.deployments:
        deployment = await api.get(DEPLOYMENTS, monitor["metadata"]["namespace"], name)
        key = _recorded_name(name)
        if deployment is not None and _is_rolled_out(deployment):
            annotations = deployment["metadata"].get("annotations", {})
            revisions[key] = annotations.get(REVISION_ANNOTATION, "")[:MAX_REVISION_LENGTH]
        elif key in before:
            revisions[key] = before[key]
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
