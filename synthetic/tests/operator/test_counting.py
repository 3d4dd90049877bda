"""How ended Jobs come into a monitor's status: each once, and none lost."""

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.cronjob import UID_LABEL
from synthetic.operator.resources import JOBS, MONITORS
from synthetic.operator.status import condition
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio


async def test_an_ended_run_is_counted_once_even_by_an_operator_that_starts_anew(
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


async def test_a_run_that_goes_on_is_not_counted_yet(harness: OperatorHarness) -> None:
    harness.add_monitor()
    job = harness.finish_run("job-1", termination_message("passed"))
    harness.change(JOBS, {**job, "status": {"active": 1}}, "status")
    await harness.reconcile()
    assert sum(harness.status["totals"].values()) == 0
    harness.change(JOBS, job, "status")
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 1


async def test_a_jobs_run_stays_counted_when_the_job_is_gone(harness: OperatorHarness) -> None:
    harness.add_monitor()
    harness.finish_run("job-1", termination_message("passed"))
    await harness.reconcile()
    harness.delete(JOBS, "job-1")
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 1
    assert harness.status["counted"] == []


async def test_old_jobs_are_deleted_once_they_are_counted(harness: OperatorHarness) -> None:
    harness.add_monitor(history={"success": 2, "failed": 1})
    for number in range(5):
        harness.finish_run(f"passed-{number}", termination_message("passed"), minute=number)
        failed = termination_message("failed", reason="dns")
        harness.finish_run(f"failed-{number}", failed, ended="Failed", minute=number)
    await harness.reconcile()
    left = [job["metadata"]["name"] for job in harness.cluster.list_kind("jobs")]
    assert left == ["failed-4", "passed-3", "passed-4"]
    assert (harness.status["totals"]["passed"], harness.status["totals"]["failed"]) == (5, 5)


async def test_jobs_of_an_earlier_monitor_of_that_name_do_not_count(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    job = harness.finish_run("job-1", termination_message("passed"))
    labels = {UID_LABEL: "that-of-the-earlier"}
    harness.change(JOBS, {**job, "metadata": {**job["metadata"], "labels": labels}})
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 0


async def test_three_failures_make_it_unhealthy_and_a_pass_makes_it_well(
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


async def test_a_write_that_another_one_forestalled_is_refused_and_counts_nothing_twice(
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


async def test_a_status_is_not_written_over_a_newer_monitor(harness: OperatorHarness) -> None:
    harness.add_monitor()
    stale = dict(harness.monitor)
    harness.update_spec(timeoutSeconds=60)
    with pytest.raises(ApiError, match="modified"):
        await harness.api.replace(MONITORS, {**stale, "status": {"schedule": "old"}}, "status")
    assert harness.status == {}
