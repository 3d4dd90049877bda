"""An operator that ends at any of its writes: the next one finishes the work, and nothing twice."""

from contextlib import suppress

import pytest
from monitors import said
from stage import Stage

from synthetic.operator.api_client import CRON_JOBS, ApiError

pytestmark = pytest.mark.anyio

WRITES = 10  # the CronJob, the Job that is asked for, the status, an Event, Jobs that are too many
PASSED, FAILED = 4, 3


async def give_work(stage: Stage, *, is_new: bool) -> None:
    """Have everything to do at once: a CronJob to make or to mend, runs to count, one to start."""
    stage.add_monitor(history={"success": 1, "failed": 1}, concurrencyPolicy="Allow")
    if not is_new:
        await stage.look()
        edited = {**stage.cron_job["spec"], "schedule": "0 0 1 1 *"}
        stage.change(CRON_JOBS, {**stage.cron_job, "spec": edited})
    for number in range(PASSED):
        stage.end_run(f"passed-{number}", said("passed"), minute=number)
    for number in range(FAILED):
        failed = said("failed", reason="dns")
        stage.end_run(f"failed-{number}", failed, ended="Failed", minute=10 + number)
    stage.ask_for_a_run("now")


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "edited"])
@pytest.mark.parametrize("is_heard", [True, False], ids=["heard", "unheard"])
@pytest.mark.parametrize("write", range(1, WRITES + 1))
async def test_nothing_is_lost_or_done_twice(
    stage: Stage, write: int, *, is_heard: bool, is_new: bool
) -> None:
    await give_work(stage, is_new=is_new)
    stage.cluster.lose(write, is_heard=is_heard)
    with suppress(ApiError):
        await stage.look()
    stage.cluster.find()
    await stage.look()
    assert stage.ready() == ("True", "Scheduled")
    assert stage.cron_job["spec"]["schedule"] != "0 0 1 1 *"
    totals = stage.status["totals"]
    assert (totals["passed"], totals["failed"], totals["error"]) == (PASSED, FAILED, 0)
    jobs = [job["metadata"] for job in stage.cluster.of_kind("jobs")]
    assert sum("annotations" in job for job in jobs) == 1
    assert len(jobs) == 3


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "edited"])
async def test_no_write_is_left_out(stage: Stage, *, is_new: bool) -> None:
    await give_work(stage, is_new=is_new)
    before = len(stage.cluster.writes)
    await stage.look()
    assert WRITES - 2 <= len(stage.cluster.writes) - before <= WRITES
