"""How a run ended: from its Job and its pods to one of four results."""

from dataclasses import dataclass
from datetime import datetime

from synthetic.operator.api_client import Object
from synthetic.operator.cronjob import CONTAINER
from synthetic.operator.termination_message import Message, parse_message

PASSED, FAILED, ERROR, DISRUPTED = "passed", "failed", "error", "disrupted"
RESULTS = (PASSED, FAILED, ERROR, DISRUPTED)
NOT_STARTED = "NotStarted"

CANNOT_START = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
    }
)


@dataclass(frozen=True)
class Run:
    """One run that has ended.

    ``failed`` is the system's doing, ``error`` the monitor's own; ``disrupted`` is nobody's: its
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
    detail: str = ""  # what Kubernetes says of a probe that did not end by itself

    @property
    def told(self) -> str:
        """What happened, in a few words."""
        words = [self.step, self.reason, str(self.http_status or ""), self.detail]
        return " ".join(word for word in words if word) or self.result


def finished(job: Object) -> bool:
    """Tell whether a Job has ended."""
    return ended_with(job) != ""


def ended_with(job: Object) -> str:
    """Return ``Complete`` or ``Failed``, or nothing for a Job that has not ended."""
    for condition in job.get("status", {}).get("conditions", []):
        if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
            return str(condition["type"])
    return ""


def blocked(pod: Object) -> str:
    """Return why a pod's probe cannot start, or nothing."""
    for status in _statuses(pod):
        reason = status.get("state", {}).get("waiting", {}).get("reason", "")
        if reason in CANNOT_START:
            return str(reason)
    return ""


def run_of(job: Object, pods: list[Object]) -> Run:
    """Return how an ended Job went, by the last of its pods."""
    status, metadata = job["status"], job["metadata"]
    started = _moment(status.get("startTime") or metadata["creationTimestamp"])
    condition = _condition(job)
    ended = _moment(
        status.get("completionTime") or condition.get("lastTransitionTime") or started.isoformat()
    )
    last = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)
    terminated = _terminated(last)
    said = parse_message(terminated.get("message", ""))
    result, reason, detail = _judge(condition, last, terminated, said)
    told = said or Message(result="")
    return Run(
        uid=metadata["uid"],
        job=metadata["name"],
        result=result,
        started_at=started,
        finished_at=ended,
        duration_ms=told.duration_ms,
        step=told.step if result != PASSED else "",
        reason=reason,
        http_status=told.http_status if result != PASSED else 0,
        attempt=told.attempt,
        trace_id=told.trace_id,
        detail=detail,
    )


def _judge(
    condition: Object,
    pod: Object | None,
    terminated: Object,
    said: Message | None,
) -> tuple[str, str, str]:
    """Return the result, the reason and what Kubernetes says.

    The Job's condition has the last word on whether a probe ended well: a message alone could
    have been written before the probe was killed.
    """
    if condition["type"] == "Complete":
        return PASSED, "", ""
    if pod is not None and _disrupted(pod):
        return DISRUPTED, "", _disrupted(pod)
    if said is not None and said.result == FAILED and terminated.get("exitCode") == 1:
        return FAILED, said.reason or "runner", ""
    if said is not None and said.result == ERROR and terminated.get("exitCode") != 0:
        return ERROR, said.reason or "runner", ""
    return ERROR, "runner", _why_killed(condition, pod, terminated)


def _why_killed(condition: Object, pod: Object | None, terminated: Object) -> str:
    if terminated.get("reason") == "OOMKilled":
        return "OOMKilled"
    if pod is None:
        return "NoPod"
    blocking = blocked(pod) or ("" if _ran(terminated) else NOT_STARTED)
    if blocking:
        return blocking
    ended = pod.get("status", {}).get("reason") or condition.get("reason", "")
    if ended == "DeadlineExceeded":
        return "DeadlineExceeded"
    code = terminated.get("exitCode", 0)
    return f"ExitCode{code}"


def _ran(terminated: Object) -> bool:
    """Tell whether the container was ever started."""
    return bool(terminated.get("startedAt")) or terminated.get("exitCode") is not None


def _condition(job: Object) -> Object:
    kind = ended_with(job)
    found: Object = next(
        condition for condition in job["status"]["conditions"] if condition["type"] == kind
    )
    return found


def _disrupted(pod: Object) -> str:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            return str(condition.get("reason", "DisruptionTarget"))
    return ""


def _terminated(pod: Object | None) -> Object:
    for status in _statuses(pod or {}):
        if status["name"] == CONTAINER:
            found: Object = status.get("state", {}).get("terminated") or {}
            return found
    return {}


def _statuses(pod: Object) -> list[Object]:
    found: list[Object] = pod.get("status", {}).get("containerStatuses", [])
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
