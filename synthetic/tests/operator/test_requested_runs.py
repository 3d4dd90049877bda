"""Runs requested by annotation or by a rollout."""

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.cronjob import UID_LABEL
from synthetic.operator.resources import DEPLOYMENTS, JOBS, Object
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio


def deployment(revision: int, available: int = 2) -> Object:
    """Return a Deployment during or after a rollout."""
    replicas = {"updatedReplicas": 2, "replicas": 2, "availableReplicas": available}
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    return {
        "metadata": {"name": "clients", "namespace": NAMESPACE, "annotations": annotations},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, **replicas},
    }


async def test_a_requested_run_creates_one_job(harness: OperatorHarness) -> None:
    harness.add_monitor()
    harness.request_run("2026-01-31T09:00:00Z")
    for _ in range(3):
        await harness.reconcile()
    (job,) = harness.cluster.list_kind("jobs")
    assert job["spec"] == harness.cron_job["spec"]["jobTemplate"]["spec"]
    assert job["metadata"]["labels"][UID_LABEL] == harness.monitor["metadata"]["uid"]
    harness.delete(JOBS, job["metadata"]["name"])
    await harness.reconcile()
    assert harness.cluster.list_kind("jobs") == []


async def test_a_requested_run_waits_for_the_current_one(harness: OperatorHarness) -> None:
    harness.add_monitor()
    for when in ("first", "second"):
        harness.request_run(when)
        await harness.reconcile()
    (job,) = harness.cluster.list_kind("jobs")
    ended = {"conditions": [{"type": "Complete", "status": "True"}]}
    harness.change(JOBS, {**job, "status": ended}, "status")
    await harness.reconcile()
    assert len(harness.cluster.list_kind("jobs")) == 2
    assert harness.status["handled"]["runRequestedAt"] == "second"


async def test_a_failed_status_write_creates_no_second_job(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(concurrencyPolicy="Allow")
    harness.request_run("now")
    harness.cluster.fail("PUT", "*/status", 500)
    with pytest.raises(ApiError):
        await harness.reconcile()
    await harness.reconcile()
    assert len(harness.cluster.list_kind("jobs")) == 1


async def test_a_completed_rollout_creates_one_job(harness: OperatorHarness) -> None:
    harness.add_monitor(runOnRollout={"deployments": ["clients"]})
    harness.add(DEPLOYMENTS, deployment(1))
    await harness.reconcile()
    assert harness.cluster.list_kind("jobs") == []
    harness.change(DEPLOYMENTS, deployment(2))
    harness.change(DEPLOYMENTS, deployment(2, available=1), "status")
    await harness.reconcile()
    assert harness.cluster.list_kind("jobs") == []
    harness.change(DEPLOYMENTS, deployment(2), "status")
    for _ in range(2):
        await harness.reconcile()
    (job,) = harness.cluster.list_kind("jobs")
    assert "rollout clients 2" in str(job["metadata"]["annotations"])
