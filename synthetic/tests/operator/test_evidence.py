"""No monitor is healthy without evidence: refused requests, specs that cannot be carried out."""

from contextlib import suppress
from datetime import timedelta

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.conditions import condition
from synthetic.operator.resources import CRON_JOBS, JOBS
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio


async def passing(harness: OperatorHarness, **spec: object) -> None:
    """Create a monitor whose first run has passed."""
    harness.add_monitor(**spec)
    await harness.reconcile()
    harness.finish_run("job-0", termination_message("passed"))
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_a_refused_request_for_a_run_is_a_condition_and_an_event(
    harness: OperatorHarness, status: int
) -> None:
    await passing(harness)
    harness.request_run("now")
    harness.cluster.fail("POST", "*/jobs", status)
    assert await harness.reconcile() is not None  # it is tried again
    assert harness.ready() == ("False", "RunRefused")
    assert f"rejected with {status}" in condition(harness.status, "Ready")["message"]
    assert harness.healthy() == ("Unknown", "NotReady")
    assert "RunRefused" in harness.events()
    assert [view.state for view in harness.cache] == ["unknown"]
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
    assert len(harness.cluster.list_kind("jobs")) == 2


async def test_a_refused_run_after_a_rollout_is_a_condition(harness: OperatorHarness) -> None:
    await passing(harness, runOnRollout={"deployments": ["clients"]})
    harness.cluster.fail("GET", "*/deployments/clients", 403)
    await harness.reconcile()
    assert harness.ready() == ("False", "RunRefused")
    assert harness.healthy() == ("Unknown", "NotReady")


async def test_an_error_of_the_api_server_does_not_delay_the_status(
    harness: OperatorHarness,
) -> None:
    await passing(harness)
    harness.request_run("now")
    harness.finish_run("job-1", termination_message("failed"), ended="Failed", minute=5)
    harness.cluster.fail("POST", "*/jobs", 500)
    with pytest.raises(ApiError):
        await harness.reconcile()
    assert harness.status["totals"]["failed"] == 1


@pytest.mark.parametrize("path", ["*/jobs*", "*/pods*", "*/cronjobs*"])
async def test_a_rejected_read_is_a_condition(harness: OperatorHarness, path: str) -> None:
    await passing(harness)
    harness.finish_run("job-1", termination_message("passed"), minute=5)
    harness.cluster.fail("GET", path, 403)
    with suppress(ApiError):
        await harness.reconcile()
    assert harness.ready() == ("False", "Forbidden")
    assert harness.healthy() == ("Unknown", "NotReady")
    assert "Forbidden" in harness.events()
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")
    assert harness.status["totals"]["passed"] == 2


async def test_a_resumed_monitor_with_a_wrong_time_zone_is_not_healthy(
    harness: OperatorHarness,
) -> None:
    await passing(harness, schedule="0 * * * *")
    harness.update_spec(suspend=True)
    await harness.reconcile()
    harness.update_spec(suspend=False, timeZone="Europe/Lisbonn")
    await harness.reconcile()
    assert harness.cron_job["spec"]["suspend"] is True
    assert harness.ready() == ("False", "UnknownTimeZone")
    assert harness.healthy() == ("Unknown", "NotReady")
    assert condition(harness.status, "Suspended")["status"] == "Unknown"
    harness.now += timedelta(days=3)
    harness.update_spec(timeZone="Europe/Lisbon")
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")  # its schedule starts now
    harness.now += timedelta(hours=3)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "NoData")


@pytest.mark.parametrize(
    "spec",
    [
        {"timeZone": "Mars/Olympus"},
        {"schedule": "0 0 30 2 *"},
        {"target": {"ingress": {"name": "missing"}}},
    ],
)
async def test_a_spec_that_cannot_be_carried_out_bounds_how_long_a_monitor_is_healthy(
    harness: OperatorHarness, spec: dict[str, object]
) -> None:
    await passing(harness, schedule="*/5 * * * *")
    harness.update_spec(**spec)
    await harness.reconcile()
    assert harness.ready()[0] == "False"
    for minute in (5, 10):  # runs of the previous spec
        harness.finish_run(f"job-{minute}", termination_message("passed"), minute=minute)
        await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")
    harness.now += timedelta(minutes=2)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "NotReady")


async def test_is_overdue_by_the_schedule_of_the_existing_cron_job(
    harness: OperatorHarness,
) -> None:
    await passing(harness, schedule="*/5 * * * *")
    harness.update_spec(schedule="0 0 1 1 *", timeZone="Mars/Olympus")
    harness.now += timedelta(minutes=20)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "NoData")


async def test_a_cron_job_that_cannot_be_created_again_is_not_healthy(
    harness: OperatorHarness,
) -> None:
    await passing(harness)
    harness.delete(CRON_JOBS, harness.cron_job["metadata"]["name"])
    harness.cluster.fail("POST", "*/cronjobs", 403)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "NotReady")


async def test_failures_are_believed_while_runs_cannot_start(harness: OperatorHarness) -> None:
    await passing(harness)
    for minute in (5, 10, 15):
        harness.finish_run(
            f"job-{minute}", termination_message("failed"), ended="Failed", minute=minute
        )
    harness.request_run("now")
    harness.cluster.fail("POST", "*/jobs", 403)
    await harness.reconcile()
    assert harness.healthy() == ("False", "Failing")


async def test_jobs_without_an_owner_reference_do_not_count(harness: OperatorHarness) -> None:
    await passing(harness)
    for number, owners in enumerate(([], [{"uid": "another"}])):
        job = harness.finish_run(f"forged-{number}", termination_message("passed"), minute=1)
        metadata = {**job["metadata"], "ownerReferences": owners}
        harness.change(JOBS, {**job, "metadata": metadata})
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 1
    job = harness.finish_run("scheduled", termination_message("passed"), minute=2)
    owner = {"uid": harness.cron_job["metadata"]["uid"]}
    harness.change(JOBS, {**job, "metadata": {**job["metadata"], "ownerReferences": [owner]}})
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 2


async def test_a_run_that_ends_in_the_future_ends_now(harness: OperatorHarness) -> None:
    await passing(harness)
    job = harness.finish_run("job-1", termination_message("passed"), minute=5)
    status = {**job["status"], "completionTime": "9999-12-31T23:59:59Z"}
    harness.change(JOBS, {**job, "status": status}, "status")
    await harness.reconcile()
    assert harness.status["lastRun"]["finishedAt"] == f"{harness.now:%Y-%m-%dT%H:%M:%SZ}"
    harness.now += timedelta(minutes=20)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "NoData")
