"""Derive the result of a run from its Job and its pods."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from synthetic.operator.cronjob import location_of
from synthetic.operator.probe_pod import CONTAINER_NAME
from synthetic.operator.resources import Object
from synthetic.operator.termination_message import StepTimes, TerminationMessage, parse_message

PASSED, FAILED, ERROR, DISRUPTED = "passed", "failed", "error", "disrupted"
RESULTS = (PASSED, FAILED, ERROR, DISRUPTED)
NOT_STARTED, NO_POD = "NotStarted", "NoPod"

FOREIGN = "foreign"  # the result of a message of another journey

START_FAILURES = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
    }
)


NO_MESSAGE = TerminationMessage(result="")


@dataclass(frozen=True)
class Run:
    """A finished run.

    The system caused ``failed``, the monitor itself ``error``, and the cluster ``disrupted``: the
    pod was evicted, or its node drained.
    """

    uid: str
    job: str
    result: str
    started_at: datetime
    finished_at: datetime
    duration_ms: int = 0
    step: str = ""
    reason: str = ""
    http_status: int = 0
    attempt: int = 1
    trace_id: str = ""
    detail: str = ""  # Kubernetes' reason if the probe did not exit by itself
    cause: str = ""  # what the network has reported
    evidence: dict[str, str] = field(default_factory=dict)  # of the failed check
    certificate_expiry: str = ""  # of the target
    maintenance: str = ""  # the reason of the window that it overlapped; the run does not count
    location: str = ""
    steps: tuple[StepTimes, ...] = ()

    @property
    def summary(self) -> str:
        """Step, reason, HTTP status and detail in one line."""
        words = [self.step, self.reason, str(self.http_status or ""), self.detail]
        return " ".join(word for word in words if word) or self.result


def is_finished(job: Object) -> bool:
    """Return whether a Job is complete or failed."""
    return end_condition(job) != ""


def end_condition(job: Object) -> str:
    """Return ``Complete`` or ``Failed``, or an empty string for a running Job."""
    for condition in job.get("status", {}).get("conditions", []):
        if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
            return str(condition["type"])
    return ""


def start_failure(pod: Object) -> str:
    """Return the reason why a pod's containers cannot start, or an empty string."""
    for status in _statuses(pod):
        waiting = status.get("state", {}).get("waiting", {})
        if waiting.get("reason") in START_FAILURES:
            return f"{waiting['reason']}: {waiting.get('message', '')}".removesuffix(": ")
    return ""


def is_held_open(pod: Object) -> bool:
    """Return whether a pod runs although its probe has ended: another container keeps it.

    The kubelet reports the end of the last container before the one of the pod.
    """
    status = pod.get("status", {})
    others = status.get("containerStatuses", [])
    is_kept = any("running" in other.get("state", {}) for other in others)
    return status.get("phase") == "Running" and is_kept and _has_run(_terminated(pod))


def finished_by_probe(job: Object, pod: Object) -> Object:
    """Return a Job whose pod another container keeps, as finished by the end of its probe."""
    terminated = _terminated(pod)
    end = {
        "type": "Complete" if terminated.get("exitCode") == 0 else "Failed",
        "status": "True",
        "lastTransitionTime": terminated.get("finishedAt"),
    }
    return {**job, "status": {**job.get("status", {}), "conditions": [end]}}


def was_started(pod: Object) -> bool:
    """Return whether the probe's container of a pod has ever started."""
    for status in _statuses(pod):
        if status["name"] == CONTAINER_NAME:
            state = status.get("state", {})
            return "running" in state or _has_run(state.get("terminated") or {})
    return False


def run_from_job(job: Object, pods: list[Object], now: datetime) -> Run:
    """Return the run of a finished Job, from the latest of its pods.

    Its times are between the creation of the Job and ``now``, and a message of another journey
    does not count.
    """
    status, metadata = job["status"], job["metadata"]
    created = _parse_time(metadata["creationTimestamp"])
    started = _bounded(status.get("startTime"), created, now)
    condition = _end_condition_of(job)
    end = status.get("completionTime") or condition.get("lastTransitionTime")
    ended = _bounded(end, started, now)
    last = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)
    terminated = _terminated(last)
    message = parse_message(terminated.get("message", ""))
    if message is not None and message.journey != _journey(job, message.journey):
        message = TerminationMessage(result=FOREIGN)
    result, reason, detail = _classify(condition, last, terminated, message)
    progress = message or NO_MESSAGE
    return Run(
        uid=metadata["uid"],
        job=metadata["name"],
        result=result,
        started_at=started,
        finished_at=ended,
        duration_ms=progress.duration_ms,
        step=progress.step if result != PASSED else "",
        reason=reason,
        http_status=progress.http_status if result != PASSED else 0,
        attempt=progress.attempt,
        trace_id=progress.trace_id,
        detail=detail,
        cause=progress.cause if result == FAILED else "",
        evidence=progress.evidence if result == progress.result else {},
        certificate_expiry=progress.certificate_expiry,
        location=location_of(job),
        steps=progress.steps,
    )


def _classify(
    condition: Object,
    pod: Object | None,
    terminated: Object,
    message: TerminationMessage | None,
) -> tuple[str, str, str]:
    """Return the result, the reason and the detail.

    The Job's condition and the exit code take precedence over the message, which may date from
    before a kill.
    """
    if message is not None and message.result == FOREIGN:
        return ERROR, "runner", "OtherJourney"
    if condition["type"] == "Complete" or _has_passed(terminated, message):
        return PASSED, "", ""
    if pod is not None and _disruption(pod):
        return DISRUPTED, "", _disruption(pod)
    if message is not None and message.result == FAILED and terminated.get("exitCode") == 1:
        return FAILED, message.reason or "runner", ""
    if message is not None and message.result == ERROR and terminated.get("exitCode") != 0:
        return ERROR, message.reason or "runner", ""
    return ERROR, "runner", _termination_reason(condition, pod, terminated)


def _termination_reason(condition: Object, pod: Object | None, terminated: Object) -> str:
    if terminated.get("reason") == "OOMKilled":
        return "OOMKilled"
    if pod is None:
        return NO_POD
    if not _has_run(terminated):
        return f"{NOT_STARTED}: {start_failure(pod)}".removesuffix(": ")
    ended = pod.get("status", {}).get("reason") or condition.get("reason", "")
    if ended == "DeadlineExceeded":
        return "DeadlineExceeded"
    code = terminated.get("exitCode", 0)
    return f"ExitCode{code}"


def _has_passed(terminated: Object, message: TerminationMessage | None) -> bool:
    """Return whether the probe itself succeeded, in a pod that another container failed."""
    return terminated.get("exitCode") == 0 and message is not None and message.result == PASSED


def _journey(job: Object, default: str) -> str:
    """Return the journey that a Job's probe replays: the argument after ``probe``."""
    template = job.get("spec", {}).get("template", {}).get("spec", {})
    for container in template.get("containers", []):
        arguments = container.get("args") or []
        if container.get("name") == CONTAINER_NAME and len(arguments) > 1:
            return str(arguments[1])
    return default


def _has_run(terminated: Object) -> bool:
    """Return whether a terminated container has ever started."""
    return bool(terminated.get("startedAt")) or terminated.get("exitCode") is not None


def _end_condition_of(job: Object) -> Object:
    kind = end_condition(job)
    found: Object = next(
        condition for condition in job["status"]["conditions"] if condition["type"] == kind
    )
    return found


def _disruption(pod: Object) -> str:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            return str(condition.get("reason", "DisruptionTarget"))
    return ""


def _terminated(pod: Object | None) -> Object:
    for status in _statuses(pod or {}):
        if status["name"] == CONTAINER_NAME:
            found: Object = status.get("state", {}).get("terminated") or {}
            return found
    return {}


def _statuses(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _bounded(text: str | None, earliest: datetime, latest: datetime) -> datetime:
    """Return a time within bounds; clients with access to Jobs can write any."""
    return max(earliest, min(_parse_time(text) if text else earliest, latest))


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
