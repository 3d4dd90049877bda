"""Runs that somebody asks for, or a rollout: each starts one Job."""

import pytest
from stage import HERE, Stage

from synthetic.operator.api_client import DEPLOYMENTS, JOBS, ApiError, Object
from synthetic.operator.cronjob import UID_LABEL

pytestmark = pytest.mark.anyio


def deployment(revision: int, available: int = 2) -> Object:
    """Return a Deployment in the midst of a rollout, or after it."""
    replicas = {"updatedReplicas": 2, "replicas": 2, "availableReplicas": available}
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    return {
        "metadata": {"name": "clients", "namespace": HERE, "annotations": annotations},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, **replicas},
    }


async def test_each_request_for_a_run_starts_one_job(stage: Stage) -> None:
    stage.add_monitor()
    stage.ask_for_a_run("2026-01-31T09:00:00Z")
    for _ in range(3):
        await stage.look()
    (job,) = stage.cluster.of_kind("jobs")
    assert job["spec"] == stage.cron_job["spec"]["jobTemplate"]["spec"]
    assert job["metadata"]["labels"][UID_LABEL] == stage.monitor["metadata"]["uid"]
    stage.delete(JOBS, job["metadata"]["name"])
    await stage.look()
    assert stage.cluster.of_kind("jobs") == []


async def test_a_request_waits_for_the_run_that_goes_on(stage: Stage) -> None:
    stage.add_monitor()
    for when in ("first", "second"):
        stage.ask_for_a_run(when)
        await stage.look()
    (job,) = stage.cluster.of_kind("jobs")
    ended = {"conditions": [{"type": "Complete", "status": "True"}]}
    stage.change(JOBS, {**job, "status": ended}, "status")
    await stage.look()
    assert len(stage.cluster.of_kind("jobs")) == 2
    assert stage.status["handled"]["runRequestedAt"] == "second"


async def test_a_request_whose_status_was_not_written_starts_no_second_job(stage: Stage) -> None:
    stage.add_monitor(concurrencyPolicy="Allow")
    stage.ask_for_a_run("now")
    stage.cluster.fail("PUT", "*/status", 500)
    with pytest.raises(ApiError):
        await stage.look()
    await stage.look()
    assert len(stage.cluster.of_kind("jobs")) == 1


async def test_a_finished_rollout_starts_one_job(stage: Stage) -> None:
    stage.add_monitor(runOnRollout={"deployments": ["clients"]})
    stage.add(DEPLOYMENTS, deployment(1))
    await stage.look()
    assert stage.cluster.of_kind("jobs") == []
    stage.change(DEPLOYMENTS, deployment(2))
    stage.change(DEPLOYMENTS, deployment(2, available=1), "status")
    await stage.look()
    assert stage.cluster.of_kind("jobs") == []
    stage.change(DEPLOYMENTS, deployment(2), "status")
    for _ in range(2):
        await stage.look()
    (job,) = stage.cluster.of_kind("jobs")
    assert "rollout clients 2" in str(job["metadata"]["annotations"])
