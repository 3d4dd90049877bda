"""How ended Jobs come into a monitor's status: each once, and none lost."""

import pytest
from monitors import said
from stage import Stage

from synthetic.operator.api_client import JOBS, MONITORS, ApiError
from synthetic.operator.cronjob import UID_LABEL
from synthetic.operator.status import condition

pytestmark = pytest.mark.anyio


async def test_an_ended_run_is_counted_once_even_by_an_operator_that_starts_anew(
    stage: Stage,
) -> None:
    stage.add_monitor()
    stage.end_run("job-1", said("passed"), minute=1)
    failure = said("failed", reason="http_status", status=503)
    stage.end_run("job-2", failure, ended="Failed", minute=6)
    for _ in range(3):
        await stage.look()
    assert (stage.status["totals"]["passed"], stage.status["totals"]["failed"]) == (1, 1)
    last = stage.status["lastRun"]
    assert (last["job"], last["step"], last["httpStatus"]) == ("job-2", "createClient", 503)
    assert stage.status["consecutiveFailures"] == 1
    assert len(stage.status["runs"]) == 2


async def test_a_run_that_goes_on_is_not_counted_yet(stage: Stage) -> None:
    stage.add_monitor()
    job = stage.end_run("job-1", said("passed"))
    stage.change(JOBS, {**job, "status": {"active": 1}}, "status")
    await stage.look()
    assert sum(stage.status["totals"].values()) == 0
    stage.change(JOBS, job, "status")
    await stage.look()
    assert stage.status["totals"]["passed"] == 1


async def test_a_jobs_run_stays_counted_when_the_job_is_gone(stage: Stage) -> None:
    stage.add_monitor()
    stage.end_run("job-1", said("passed"))
    await stage.look()
    stage.delete(JOBS, "job-1")
    await stage.look()
    assert stage.status["totals"]["passed"] == 1
    assert stage.status["counted"] == []


async def test_old_jobs_are_deleted_once_they_are_counted(stage: Stage) -> None:
    stage.add_monitor(history={"success": 2, "failed": 1})
    for number in range(5):
        stage.end_run(f"passed-{number}", said("passed"), minute=number)
        failed = said("failed", reason="dns")
        stage.end_run(f"failed-{number}", failed, ended="Failed", minute=number)
    await stage.look()
    left = [job["metadata"]["name"] for job in stage.cluster.of_kind("jobs")]
    assert left == ["failed-4", "passed-3", "passed-4"]
    assert (stage.status["totals"]["passed"], stage.status["totals"]["failed"]) == (5, 5)


async def test_jobs_of_an_earlier_monitor_of_that_name_do_not_count(stage: Stage) -> None:
    stage.add_monitor()
    job = stage.end_run("job-1", said("passed"))
    labels = {UID_LABEL: "that-of-the-earlier"}
    stage.change(JOBS, {**job, "metadata": {**job["metadata"], "labels": labels}})
    await stage.look()
    assert stage.status["totals"]["passed"] == 0


async def test_three_failures_make_it_unhealthy_and_a_pass_makes_it_well(stage: Stage) -> None:
    stage.add_monitor()
    await stage.look()
    stage.end_run("job-0", said("passed"), minute=0)
    await stage.look()
    for number in range(1, 4):
        stage.end_run(f"job-{number}", said("failed", reason="dns"), ended="Failed", minute=number)
        await stage.look()
    healthy = condition(stage.status, "Healthy")
    assert (healthy["status"], healthy["reason"]) == ("False", "Failing")
    assert "dns" in healthy["message"]
    stage.end_run("job-4", said("passed"), minute=4)
    await stage.look()
    assert condition(stage.status, "Healthy")["status"] == "True"
    assert sorted(stage.events()) == ["Healthy", "Unhealthy"]


async def test_a_write_that_another_one_forestalled_is_refused_and_counts_nothing_twice(
    stage: Stage,
) -> None:
    stage.add_monitor()
    stage.end_run("job-1", said("passed"))
    stage.cluster.fail("PUT", "*/status", 409)
    with pytest.raises(ApiError) as refused:
        await stage.look()
    assert refused.value.status == 409
    await stage.look()
    assert stage.status["totals"]["passed"] == 1
    assert stage.events() == []


async def test_a_status_is_not_written_over_a_newer_monitor(stage: Stage) -> None:
    stage.add_monitor()
    stale = dict(stage.monitor)
    stage.respec(timeoutSeconds=60)
    with pytest.raises(ApiError, match="modified"):
        await stage.api.replace(MONITORS, {**stale, "status": {"schedule": "old"}}, "status")
    assert stage.status == {}
