"""What became of a monitor's Jobs: from their pods, and from events where a pod never started."""

from dataclasses import replace

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.resources import EVENTS, PODS, Object
from synthetic.operator.run_result import NOT_STARTED, Run, run_from_job

FORBIDDEN = 403


async def list_pods(api: ApiClient, job: Object) -> list[Object]:
    """Return the pods of a Job."""
    selectors = {"labelSelector": f"batch.kubernetes.io/controller-uid={job['metadata']['uid']}"}
    return await api.list(PODS, job["metadata"]["namespace"], selectors)


async def collect(api: ApiClient, job: Object) -> Run:
    """Return how an ended Job went; raises ``ApiError``."""
    pods = await list_pods(api, job)
    run = run_from_job(job, pods)
    if run.detail != NOT_STARTED:
        return run
    missing = [found for pod in pods for found in await _mount_failures(api, pod)]
    return replace(run, detail=f"{NOT_STARTED}: {missing[-1]}") if missing else run


async def _mount_failures(api: ApiClient, pod: Object) -> list[str]:
    """Return what a pod waited for in vain, like ``secret "login" not found``; events have it."""
    metadata = pod["metadata"]
    wanted = f"involvedObject.uid={metadata['uid']},reason=FailedMount"
    try:
        found = await api.list(EVENTS, metadata["namespace"], {"fieldSelector": wanted})
    except ApiError as error:
        if error.status == FORBIDDEN:
            return []
        raise
    # MountVolume.SetUp failed for volume "credentials" : secret "login" not found
    return [str(event.get("message", "")).rpartition(" : ")[2] for event in found]
