"""An operator that stops at any of its writes: its successor completes the work exactly once."""

from contextlib import suppress

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.cronjob import LOCATION_LABEL
from synthetic.operator.resources import CRON_JOBS
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio

WRITES = 10  # CronJob, requested Job, status, Event, and deletions of old Jobs
PASSED, FAILED = 4, 3


async def prepare_work(harness: OperatorHarness, *, is_new: bool) -> None:
    """Prepare a CronJob to create or restore, runs to count, and a requested run."""
    harness.add_monitor(history={"success": 1, "failed": 1}, concurrencyPolicy="Allow")
    if not is_new:
        await harness.reconcile()
        edited = {**harness.cron_job["spec"], "schedule": "0 0 1 1 *"}
        harness.change(CRON_JOBS, {**harness.cron_job, "spec": edited})
    for number in range(PASSED):
        harness.finish_run(f"passed-{number}", termination_message("passed"), minute=number)
    for number in range(FAILED):
        failed = termination_message("failed", reason="dns")
        harness.finish_run(f"failed-{number}", failed, ended="Failed", minute=10 + number)
    harness.request_run("now")


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "edited"])
@pytest.mark.parametrize("is_applied", [True, False], ids=["applied", "lost"])
@pytest.mark.parametrize("write", range(1, WRITES + 1))
async def test_completes_interrupted_work_exactly_once(
    harness: OperatorHarness, write: int, *, is_applied: bool, is_new: bool
) -> None:
    await prepare_work(harness, is_new=is_new)
    harness.cluster.stop_responding(write, is_applied=is_applied)
    with suppress(ApiError):
        await harness.reconcile()
    harness.cluster.resume()
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
    assert harness.cron_job["spec"]["schedule"] != "0 0 1 1 *"
    totals = harness.status["totals"]
    assert (totals["passed"], totals["failed"], totals["error"]) == (PASSED, FAILED, 0)
    jobs = [job["metadata"] for job in harness.cluster.list_kind("jobs")]
    assert sum("annotations" in job for job in jobs) == 1
    assert len(jobs) == 3


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "edited"])
async def test_the_interruptions_cover_all_writes(
    harness: OperatorHarness, *, is_new: bool
) -> None:
    await prepare_work(harness, is_new=is_new)
    before = len(harness.cluster.writes)
    await harness.reconcile()
    assert WRITES - 2 <= len(harness.cluster.writes) - before <= WRITES


LOCATION_WRITES = 14  # CronJobs, requested Jobs, status, deletions, and the end of a location


async def prepare_locations(harness: OperatorHarness) -> None:
    """Prepare a location to remove and one to add, runs of three to count, and a requested run."""
    limits = {"success": 1, "failed": 1}
    locations = [{"name": name} for name in "abcd"]
    harness.add_monitor(locations=locations[:3], history=limits, concurrencyPolicy="Allow")
    await harness.reconcile()
    for location, letters in (("a", "ppff"), ("b", "p"), ("c", "pp")):
        for minute, letter in enumerate(letters):
            message = termination_message("passed" if letter == "p" else "failed", reason="dns")
            ended = "Complete" if letter == "p" else "Failed"
            uid = f"{location}-{minute}"
            harness.finish_run(uid, message, ended=ended, minute=minute, location=location)
    harness.update_spec(locations=[locations[0], locations[1], locations[3]])
    harness.request_run("now")


async def converge(harness: OperatorHarness) -> None:
    """Reconcile until the CronJob of the removed location is gone."""
    for _ in range(4):
        with suppress(ApiError):
            await harness.reconcile()


@pytest.mark.parametrize("is_applied", [True, False], ids=["applied", "lost"])
@pytest.mark.parametrize("write", range(1, LOCATION_WRITES + 1))
async def test_completes_interrupted_work_at_locations_exactly_once(
    harness: OperatorHarness, write: int, *, is_applied: bool
) -> None:
    await prepare_locations(harness)
    harness.cluster.stop_responding(write, is_applied=is_applied)
    await converge(harness)
    harness.cluster.resume()
    await converge(harness)
    assert harness.ready() == ("True", "Scheduled")
    assert sorted(harness.cron_jobs) == ["a", "b", "d"]
    totals = harness.status["totals"]
    assert (totals["passed"], totals["failed"], totals["error"]) == (5, 2, 0)
    found = {each["name"]: each["totals"] for each in harness.status["locations"]}
    assert {name: (each["passed"], each["failed"]) for name, each in found.items()} == {
        "a": (2, 2),
        "b": (1, 0),
        "d": (0, 0),
    }
    jobs = [job["metadata"] for job in harness.cluster.list_kind("jobs")]
    requested = [job["labels"][LOCATION_LABEL] for job in jobs if "annotations" in job]
    assert sorted(requested) == ["a", "b", "d"]
    assert len(jobs) == len(requested) + 3


async def test_the_interruptions_cover_all_writes_at_locations(harness: OperatorHarness) -> None:
    await prepare_locations(harness)
    before = len(harness.cluster.writes)
    await converge(harness)
    assert LOCATION_WRITES - 2 <= len(harness.cluster.writes) - before <= LOCATION_WRITES
