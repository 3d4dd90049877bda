"""Collect the results of finished Jobs from their pods, and from Events of failed mounts."""

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
    """Return the run of a finished Job; raise ``ApiError`` if its pods cannot be listed."""
    pods = await list_pods(api, job)
    run = run_from_job(job, pods)
    if run.detail != NOT_STARTED:
        return run
    missing = [found for pod in pods for found in await _mount_failures(api, pod)]
    return replace(run, detail=f"{NOT_STARTED}: {missing[-1]}") if missing else run


async def _mount_failures(api: ApiClient, pod: Object) -> list[str]:
    """Return the causes of a pod's failed mounts, like ``secret "login" not found``."""
    metadata = pod["metadata"]
    selector = f"involvedObject.uid={metadata['uid']},reason=FailedMount"
    try:
        found = await api.list(EVENTS, metadata["namespace"], {"fieldSelector": selector})
    except ApiError as error:
        if error.status == FORBIDDEN:
            return []
        raise
    # MountVolume.SetUp failed for volume "credentials" : secret "login" not found
    return [str(event.get("message", "")).rpartition(" : ")[2] for event in found]
