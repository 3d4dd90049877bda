"""Maintenance windows of a monitor's spec."""

import pytest

from synthetic.operator.conditions import condition
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio

FAILURE = termination_message("failed", reason="http_status", status=503)
HOUR = {"reason": "Upgrade", "start": "2026-01-31T09:00:00Z", "end": "2026-01-31T10:00:00Z"}
LATER = {**HOUR, "start": "2026-01-31T09:30:00Z"}


def fail(harness: OperatorHarness, *minutes: int) -> None:
    """Add failed runs."""
    for minute in minutes:
        harness.finish_run(f"job-{minute}", FAILURE, ended="Failed", minute=minute)


async def test_results_in_a_window_are_kept_and_do_not_count(harness: OperatorHarness) -> None:
    harness.add_monitor(maintenance=[HOUR])
    fail(harness, 1, 6, 11)
    await harness.reconcile()
    status = harness.status
    assert status["totals"] == {
        **dict.fromkeys(("passed", "failed", "error", "disrupted", "passedAfterRetry"), 0),
        "maintenance": 3,
    }
    assert [line.split()[1] for line in status["runs"]] == ["failed/maintenance"] * 3
    assert set(status["uptime"].values()) == {""}
    assert (status["slo"]["failed"], status["consecutiveFailures"]) == (0, 0)
    last = status["lastRun"]
    assert (last["result"], last["httpStatus"], last["maintenance"]) == ("failed", 503, "Upgrade")
    assert harness.healthy() == ("Unknown", "Maintenance")
    assert harness.maintenance() == ("True", "InWindow")
    until = "2026-01-31T10:00:00Z"
    assert status["maintenance"] == {"reason": "Upgrade", "until": until, "runs": "Continue"}
    message = condition(status, "Maintenance")["message"]
    assert message.startswith(f"Upgrade (until {until}, spec.maintenance[0])")
    assert harness.ready() == ("True", "Scheduled")
    assert harness.cron_job["spec"]["suspend"] is False
    assert harness.events() == ["MaintenanceStarted"]


async def test_only_runs_that_overlap_a_window_are_left_out(harness: OperatorHarness) -> None:
    start, end = "2026-01-31T09:10:05Z", "2026-01-31T09:20:00Z"
    harness.add_monitor(maintenance=[{**HOUR, "start": start, "end": end}])
    fail(harness, 9, 10, 15, 20)  # each takes five seconds
    await harness.reconcile()
    kept = [line.split()[:2] for line in harness.status["runs"]]
    assert [result for _, result in kept] == [
        "failed",
        "failed/maintenance",
        "failed/maintenance",
        "failed",
    ]
    assert harness.status["totals"]["failed"] == 2


async def test_the_reconciliation_returns_at_the_start_and_at_the_end(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(maintenance=[LATER])
    assert await harness.reconcile_at(20) == 600
    assert condition(harness.status, "Maintenance") == {}
    assert await harness.reconcile_at(30) == 1800
    assert harness.maintenance() == ("True", "InWindow")
    assert await harness.reconcile_at(60) is None
    assert harness.maintenance() == ("False", "Ended")
    assert "maintenance" not in harness.status
    assert sorted(harness.events()) == ["MaintenanceEnded", "MaintenanceStarted"]


@pytest.mark.parametrize("minute", [60, 70], ids=["in-time", "after-an-outage-of-the-operator"])
async def test_failures_before_a_window_do_not_alert_after_it(
    harness: OperatorHarness, minute: int
) -> None:
    harness.add_monitor(maintenance=[LATER])
    harness.finish_run("job-0", termination_message("passed"), minute=0)
    fail(harness, 5, 10, 15)
    await harness.reconcile()
    assert harness.healthy() == ("False", "Failing")
    await harness.reconcile_at(30)
    await harness.reconcile_at(minute)
    assert harness.healthy() == ("Unknown", "NoRunYet")
    ended = condition(harness.status, "Maintenance")["lastTransitionTime"]
    assert ended == "2026-01-31T10:00:00Z"
    harness.finish_run("job-60", termination_message("passed"), minute=60)
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")
    assert "Unhealthy" not in harness.events()
    assert harness.status["slo"]["failed"] == 3  # those before the window


async def test_failures_before_a_window_count_with_a_failure_after_it(
    harness: OperatorHarness,
) -> None:
    thresholds = {"failures": 3, "outOf": 5}
    harness.add_monitor(maintenance=[LATER], thresholds=thresholds)
    harness.finish_run("job-0", termination_message("passed"), minute=0)
    fail(harness, 5, 10, 15)
    await harness.reconcile()
    await harness.reconcile_at(30)
    await harness.reconcile_at(60)
    fail(harness, 60)
    await harness.reconcile()
    assert harness.healthy() == ("False", "Failing")
    harness.finish_run("job-65", termination_message("passed"), minute=65)
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")  # the system after it has passed


async def test_a_rare_run_that_fails_between_frequent_windows_is_reported(
    harness: OperatorHarness,
) -> None:
    nightly = {"reason": "Backup", "schedule": "0 0 * * *", "duration": "1h30m"}
    harness.add_monitor(schedule="0 12 * * *", maintenance=[nightly])
    harness.finish_run("job-0", termination_message("passed"), minute=0)
    for day in range(1, 4):
        await harness.reconcile_at(day * 1440 - 500)  # 00:40
        assert harness.healthy() == ("Unknown", "Maintenance")
        await harness.reconcile_at(day * 1440 - 400)
        assert harness.healthy() == ("True", "Passing")
        fail(harness, day * 1440 + 180)
        await harness.reconcile()
    assert harness.healthy() == ("False", "Failing")


@pytest.mark.parametrize("runs", ["Continue", "Pause"])
async def test_missing_data_counts_from_the_end_of_a_window(
    harness: OperatorHarness, runs: str
) -> None:
    harness.add_monitor(maintenance=[{**LATER, "runs": runs}])
    harness.finish_run("job-0", termination_message("passed"), minute=0)
    await harness.reconcile()
    for minute in (30, 59, 60, 65):
        await harness.reconcile_at(minute)
        assert harness.healthy()[1] in {"Maintenance", "Passing"}
    await harness.reconcile_at(80)
    assert harness.healthy() == ("Unknown", "NoData")


async def test_pause_suspends_the_cron_job_for_the_window(harness: OperatorHarness) -> None:
    harness.add_monitor(maintenance=[{**LATER, "runs": "Pause"}])
    await harness.reconcile()
    wanted = harness.cron_job["spec"]
    await harness.reconcile_at(30)
    assert harness.cron_job["spec"] == {**wanted, "suspend": True}
    suspended = condition(harness.status, "Suspended")
    assert (suspended["status"], suspended["reason"]) == ("True", "Maintenance")
    assert harness.healthy() == ("Unknown", "Maintenance")
    assert harness.ready() == ("True", "Scheduled")
    assert harness.status["maintenance"]["runs"] == "Pause"
    await harness.reconcile_at(60)
    assert harness.cron_job["spec"] == wanted
    assert condition(harness.status, "Suspended")["status"] == "False"
    assert "CronJobRestored" not in harness.events()


async def test_pause_suspends_a_cron_job_that_cannot_be_updated(harness: OperatorHarness) -> None:
    harness.add_monitor(maintenance=[{**LATER, "runs": "Pause"}])
    await harness.reconcile()
    harness.update_spec(target={"ingress": {"name": "gone"}})
    await harness.reconcile_at(30)
    assert harness.ready() == ("False", "NoIngress")
    assert harness.cron_job["spec"]["suspend"]
    harness.update_spec(target={"url": "http://shop.example"})
    await harness.reconcile_at(60)
    assert not harness.cron_job["spec"]["suspend"]
    assert "CronJobRestored" not in harness.events()


@pytest.mark.parametrize("end", [LATER["end"], "9999-12-31T23:59:59Z"], ids=["soon", "never"])
@pytest.mark.parametrize("runs", ["Continue", "Pause"])
async def test_restarts_write_nothing(harness: OperatorHarness, runs: str, end: str) -> None:
    harness.add_monitor(maintenance=[{**LATER, "runs": runs, "end": end}])
    for minute in (10, 40, 65):
        fail(harness, minute)
        await harness.reconcile_at(minute + 1)
        before = harness.cluster.writes[:]
        for later in range(3):
            await harness.reconcile_at(minute + 1 + later)
        assert harness.cluster.writes == before


async def test_a_window_that_is_removed_ends_at_once(harness: OperatorHarness) -> None:
    harness.add_monitor(maintenance=[HOUR])
    await harness.reconcile_at(10)
    harness.update_spec(maintenance=[])
    await harness.reconcile_at(20)
    assert harness.maintenance() == ("False", "Ended")
    ended = condition(harness.status, "Maintenance")["lastTransitionTime"]
    assert ended == "2026-01-31T09:20:00Z"


async def test_a_suspended_monitor_stays_suspended(harness: OperatorHarness) -> None:
    harness.add_monitor(maintenance=[HOUR], suspend=True)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "Suspended")
    assert [view.state for view in harness.cache] == ["paused"]
    assert harness.maintenance() == ("True", "InWindow")


async def test_a_rejected_request_keeps_the_maintenance(harness: OperatorHarness) -> None:
    harness.add_monitor(maintenance=[HOUR])
    await harness.reconcile()
    harness.cluster.fail("GET", "*/jobs", 403)
    with pytest.raises(Exception, match="403"):
        await harness.reconcile()
    assert harness.maintenance() == ("True", "InWindow")
    assert [view.state for view in harness.cache] == ["maintenance"]
