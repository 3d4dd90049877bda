"""An operator that stops at any of its writes: its successor completes the work exactly once."""

from contextlib import suppress

import pytest

from synthetic.operator.api_client import ApiError
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
