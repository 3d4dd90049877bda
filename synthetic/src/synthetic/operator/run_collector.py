"""Collect the results of finished Jobs from their pods, and from Events of failed starts."""

from dataclasses import replace
from datetime import datetime

from synthetic.operator.api_client import ApiClient
from synthetic.operator.resources import Object
from synthetic.operator.run_result import (
    NO_POD,
    NOT_STARTED,
    Run,
    finished_by_probe,
    is_finished,
    is_held_open,
    run_from_job,
)
from synthetic.operator.start_problems import event_of_job, list_pods


async def collect(api: ApiClient, job: Object, now: datetime) -> Run:
    """Return the run of a finished Job; raise ``ApiError`` if its pods cannot be listed."""
    pods = await list_pods(api, job)
    run = run_from_job(job, pods, now)
    if run.detail not in {NO_POD, NOT_STARTED}:
        return run
    cause = await event_of_job(api, job, pods)
    return replace(run, detail=f"{NOT_STARTED}: {cause}") if cause else run


async def finish_held_open(api: ApiClient, jobs: list[Object]) -> list[Object]:
    """Return the Jobs; those whose pod only a sidecar keeps open are finished by their probe.

    Kubernetes would fail such a Job after its deadline, and delete the pod with the result.
    """
    found = []
    for job in jobs:
        pods = [] if is_finished(job) else await list_pods(api, job)
        held = next(filter(is_held_open, pods), None)
        found.append(finished_by_probe(job, held) if held else job)
    return found
