"""Counting of finished Jobs in the status: each exactly once."""

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.conditions import condition
from synthetic.operator.cronjob import UID_LABEL
from synthetic.operator.resources import JOBS, MONITORS, PODS
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio


async def test_a_finished_run_is_counted_once_across_restarts(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    harness.finish_run("job-1", termination_message("passed"), minute=1)
    failure = termination_message("failed", reason="http_status", status=503)
    harness.finish_run("job-2", failure, ended="Failed", minute=6)
    for _ in range(3):
        await harness.reconcile()
    assert (harness.status["totals"]["passed"], harness.status["totals"]["failed"]) == (1, 1)
    last = harness.status["lastRun"]
    assert (last["job"], last["step"], last["httpStatus"]) == ("job-2", "createClient", 503)
    assert harness.status["consecutiveFailures"] == 1
    assert len(harness.status["runs"]) == 2


async def test_a_job_whose_uid_begins_like_a_year_is_counted_once(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    harness.finish_run("20fa8f5b-9d0e-4a5e-8f7e-6a1b2c3d4e5f", termination_message("passed"))
    for _ in range(3):
        await harness.reconcile()
    assert harness.status["totals"]["passed"] == 1
    assert harness.events() == []


async def test_a_running_job_is_not_counted(harness: OperatorHarness) -> None:
    harness.add_monitor()
    job = harness.finish_run("job-1", termination_message("passed"))
    harness.change(JOBS, {**job, "status": {"active": 1}}, "status")
    await harness.reconcile()
    assert sum(harness.status["totals"].values()) == 0
    harness.change(JOBS, job, "status")
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 1


async def test_a_run_stays_counted_after_its_job_is_deleted(harness: OperatorHarness) -> None:
    harness.add_monitor()
    harness.finish_run("job-1", termination_message("passed"))
    await harness.reconcile()
    harness.delete(JOBS, "job-1")
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 1
    assert harness.status["counted"] == []


async def test_deletes_old_jobs_after_counting_them(harness: OperatorHarness) -> None:
    harness.add_monitor(history={"success": 2, "failed": 1})
    for number in range(5):
        harness.finish_run(f"passed-{number}", termination_message("passed"), minute=number)
        failed = termination_message("failed", reason="dns")
        harness.finish_run(f"failed-{number}", failed, ended="Failed", minute=number)
    await harness.reconcile()
    left = [job["metadata"]["name"] for job in harness.cluster.list_kind("jobs")]
    assert left == ["failed-4", "passed-3", "passed-4"]
    assert (harness.status["totals"]["passed"], harness.status["totals"]["failed"]) == (5, 5)


async def test_jobs_of_an_earlier_monitor_of_the_same_name_are_ignored(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    job = harness.finish_run("job-1", termination_message("passed"))
    labels = {UID_LABEL: "uid-of-the-earlier-monitor"}
    harness.change(JOBS, {**job, "metadata": {**job["metadata"], "labels": labels}})
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 0


async def test_is_unhealthy_after_three_failures_and_healthy_after_a_pass(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await harness.reconcile()
    harness.finish_run("job-0", termination_message("passed"), minute=0)
    await harness.reconcile()
    for number in range(1, 4):
        harness.finish_run(
            f"job-{number}",
            termination_message("failed", reason="dns"),
            ended="Failed",
            minute=number,
        )
        await harness.reconcile()
    healthy = condition(harness.status, "Healthy")
    assert (healthy["status"], healthy["reason"]) == ("False", "Failing")
    assert "dns" in healthy["message"]
    harness.finish_run("job-4", termination_message("passed"), minute=4)
    await harness.reconcile()
    assert condition(harness.status, "Healthy")["status"] == "True"
    assert sorted(harness.events()) == ["Healthy", "Unhealthy"]


@pytest.mark.parametrize(("result", "code"), [("passed", 0), ("failed", 1)])
async def test_a_sidecar_that_keeps_the_pod_open_does_not_change_the_result(
    harness: OperatorHarness, result: str, code: int
) -> None:
    harness.add_monitor()
    job = harness.finish_run("job-1", termination_message(result, reason="dns"), minute=1)
    harness.change(JOBS, {**job, "status": {"active": 1}}, "status")
    (pod,) = harness.cluster.list_kind("pods")
    (probe,) = pod["status"]["containerStatuses"]
    probe["state"]["terminated"] |= {"exitCode": code, "finishedAt": "2026-01-31T09:01:05Z"}
    sidecar = {"name": "istio-proxy", "state": {"running": {}}}
    running = {"phase": "Running", "containerStatuses": [sidecar, probe]}
    harness.change(PODS, {**pod, "status": running}, "status")
    for _ in range(2):
        await harness.reconcile()
    assert harness.status["totals"][result] == 1
    assert sum(harness.status["totals"].values()) == 1
    assert harness.status["lastRun"]["finishedAt"] == "2026-01-31T09:01:05Z"
    assert harness.cluster.list_kind("jobs") == []  # the next run need not wait


async def test_a_job_that_is_about_to_end_keeps_its_log(harness: OperatorHarness) -> None:
    """The kubelet reports the end of the last container before that of the pod."""
    harness.add_monitor()
    message = termination_message("failed", reason="dns")
    job = harness.finish_run("job-1", message, ended="Failed")
    (pod,) = harness.cluster.list_kind("pods")
    harness.change(JOBS, {**job, "status": {"active": 1}}, "status")
    harness.change(PODS, {**pod, "status": {**pod["status"], "phase": "Running"}}, "status")
    await harness.reconcile()
    (running,) = harness.cluster.list_kind("jobs")
    harness.change(JOBS, {**running, "status": job["status"]}, "status")
    await harness.reconcile()
    assert harness.status["totals"]["failed"] == 1
    assert len(harness.cluster.list_kind("jobs")) == 1


async def test_a_conflicting_write_counts_nothing_twice(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    harness.finish_run("job-1", termination_message("passed"))
    harness.cluster.fail("PUT", "*/status", 409)
    with pytest.raises(ApiError) as refused:
        await harness.reconcile()
    assert refused.value.status == 409
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 1
    assert harness.events() == []


async def test_a_stale_status_write_is_a_conflict(harness: OperatorHarness) -> None:
    harness.add_monitor()
    stale = dict(harness.monitor)
    harness.update_spec(timeoutSeconds=60)
    with pytest.raises(ApiError, match="modified"):
        await harness.api.replace(MONITORS, {**stale, "status": {"schedule": "old"}}, "status")
    assert harness.status == {}
