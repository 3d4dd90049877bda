"""Find the reason why a run does not start: from its pods, and from Events of Kubernetes."""

from datetime import datetime, timedelta

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.resources import EVENTS, PODS, Object
from synthetic.operator.run_result import is_finished, start_failure, was_started

START_GRACE = timedelta(seconds=25)  # a new Job gets its pod, and the pod its node
LATE_START = timedelta(seconds=10)  # of the CronJob controller
EVENT_REASONS = frozenset(
    {
        *("FailedCreate", "FailedScheduling", "FailedMount", "FailedAttachVolume"),
        *("FailedCreatePodSandBox", "Failed"),
    }
)
FORBIDDEN = 403


async def list_pods(api: ApiClient, job: Object) -> list[Object]:
    """Return the pods of a Job."""
    selectors = {"labelSelector": f"batch.kubernetes.io/controller-uid={job['metadata']['uid']}"}
    return await api.list(PODS, job["metadata"]["namespace"], selectors)


async def current_problem(api: ApiClient, jobs: list[Object], now: datetime) -> str:
    """Return why a Job that is not finished does not start, or an empty string."""
    for job in jobs:
        if not is_finished(job):
            pods = await list_pods(api, job)
            problem = next(filter(None, map(start_failure, pods)), "")
            if not problem and _is_late(job, now) and not any(map(was_started, pods)):
                problem = await event_of_job(api, job, pods)
            if problem:
                return f"The Job {job['metadata']['name']} does not start: {problem}"
    return ""


async def event_of_job(api: ApiClient, job: Object, pods: list[Object]) -> str:
    """Return the text of the latest warning about a Job or one of its pods."""
    metadata = job["metadata"]
    found = [
        event
        for each in (job, *pods)
        for event in await _warnings(api, each, f"involvedObject.uid={each['metadata']['uid']}")
    ]
    if not pods:  # Kubernetes deletes the pods of a Job that has exceeded its deadline
        prefix = f"{metadata['name']}-"
        of_pods = await _warnings(api, job, "involvedObject.kind=Pod")
        found += [each for each in of_pods if each["involvedObject"]["name"].startswith(prefix)]
    return _text(max(found, key=_time, default=None))


async def refused_job(api: ApiClient, cron_job: Object, since: datetime) -> str:
    """Return why a CronJob has created no Job since a scheduled time, or an empty string."""
    found = await _warnings(api, cron_job, f"involvedObject.uid={cron_job['metadata']['uid']}")
    recent = [each for each in found if _time(each) >= f"{since:%Y-%m-%dT%H:%M:%SZ}"]
    return _text(max(recent, key=_time, default=None))


async def _warnings(api: ApiClient, beside: Object, field: str) -> list[Object]:
    """Return the Events about starts; none without permission to read them."""
    selectors = {"fieldSelector": f"{field},type=Warning"}
    try:
        found = await api.list(EVENTS, beside["metadata"]["namespace"], selectors)
    except ApiError as error:
        if error.status == FORBIDDEN:
            return []
        raise
    return [event for event in found if event.get("reason") in EVENT_REASONS]


def _is_late(job: Object, now: datetime) -> bool:
    """Return whether a Job has had enough time to start."""
    return now - datetime.fromisoformat(job["metadata"]["creationTimestamp"]) >= START_GRACE


def _time(event: Object) -> str:
    """Return the last time of an Event, as text that sorts."""
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp", "")
    )


def _text(event: Object | None) -> str:
    if event is None:
        return ""
    message = str(event.get("message", "")).strip()
    if event["reason"] == "FailedMount":
        # MountVolume.SetUp failed for volume "credentials" : secret "login" not found
        message = message.rpartition(" : ")[2]
    return f"{event['reason']}: {message}"
