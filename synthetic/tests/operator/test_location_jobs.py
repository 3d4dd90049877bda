"""Jobs and CronJobs of locations: requested runs, removed locations, history."""

import pytest

from synthetic.operator.cronjob import LOCATION_LABEL
from synthetic.operator.resources import JOBS
from tests.support.synthetic.locations import PASSED, active_run, entries, finish, places
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("after", [["lisbon"], ["lisbon", "paris"], []], ids=str)
async def test_a_removed_location_leaves_its_totals_and_nothing_else(
    harness: OperatorHarness, after: list[str]
) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"))
    await harness.reconcile()
    finish(harness, "rio", "pff")
    finish(harness, "lisbon", "p")
    await harness.reconcile()
    finish(harness, "rio", "p", 4)  # not counted yet
    harness.update_spec(locations=places(*after))
    assert await harness.reconcile() == 1.0
    assert harness.cron_jobs["rio"]["spec"]["suspend"] is True
    await harness.reconcile()
    await harness.reconcile()
    assert set(harness.cron_jobs) == set(after or [""])
    assert set(entries(harness)) == set(after)
    assert harness.status["totals"]["passed"] == 3
    assert harness.status["totals"]["failed"] == 2
    assert harness.ready() == ("True", "Scheduled")


async def test_the_cron_job_of_a_removed_location_waits_for_its_run(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"))
    await harness.reconcile()
    finish(harness, "rio", "p")
    with active_run(harness):
        harness.update_spec(locations=places("lisbon"))
        for _ in range(3):
            await harness.reconcile()
        assert "rio" in harness.cron_jobs
    await harness.reconcile()
    assert set(harness.cron_jobs) == {"lisbon"}
    assert harness.status["totals"]["passed"] == 1


async def test_locations_replace_the_cron_job_of_the_monitor(harness: OperatorHarness) -> None:
    harness.add_monitor()
    await harness.reconcile()
    harness.finish_run("before", PASSED)
    harness.update_spec(locations=places("rio", "lisbon"))
    for _ in range(2):
        await harness.reconcile()
    assert set(harness.cron_jobs) == {"rio", "lisbon"}
    finish(harness, "rio", "p", 5)
    await harness.reconcile()
    assert harness.status["totals"]["passed"] == 2
    assert harness.status["cronJob"] == {"name": "", "generation": 0}


async def test_a_requested_run_starts_at_each_location(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"))
    harness.request_run("first")
    for _ in range(3):
        await harness.reconcile()
    jobs = harness.cluster.list_kind(JOBS.plural)
    assert sorted(each["metadata"]["labels"][LOCATION_LABEL] for each in jobs) == ["lisbon", "rio"]
    harness.update_spec(locations=places("rio", "lisbon", "paris"))
    await harness.reconcile()
    assert len(harness.cluster.list_kind(JOBS.plural)) == 2


@pytest.mark.parametrize(
    ("when", "wanted"),
    [("t@rio", {"rio"}), ("t@nowhere", {"rio", "lisbon"}), ("t@", {"rio", "lisbon"})],
)
async def test_a_requested_run_may_name_a_location(
    harness: OperatorHarness, when: str, wanted: set[str]
) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"))
    harness.request_run(when)
    for _ in range(2):
        await harness.reconcile()
    jobs = harness.cluster.list_kind(JOBS.plural)
    assert {each["metadata"]["labels"][LOCATION_LABEL] for each in jobs} == wanted
    assert harness.status["handled"]["runRequestedAt"] == when


async def test_a_busy_location_delays_only_its_own_run(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"))
    await harness.reconcile()
    finish(harness, "rio", "p")
    with active_run(harness):
        harness.request_run("now")
        await harness.reconcile()
        assert requested(harness) == ["lisbon"]
        assert harness.status["handled"]["runRequestedAt"] == ""
        for each in harness.cluster.list_kind(JOBS.plural):  # that of lisbon ends, and is pruned
            if "annotations" in each["metadata"]:
                harness.delete(JOBS, each["metadata"]["name"])
    await harness.reconcile()
    assert requested(harness) == ["rio"]
    assert harness.status["handled"]["runRequestedAt"] == "now"


def requested(harness: OperatorHarness) -> list[str]:
    """Return the locations of the Jobs of requested runs."""
    jobs = [each["metadata"] for each in harness.cluster.list_kind(JOBS.plural)]
    return sorted(each["labels"][LOCATION_LABEL] for each in jobs if "annotations" in each)


async def test_each_location_keeps_its_own_jobs(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"), history={"success": 1, "failed": 1})
    await harness.reconcile()
    for name in ("rio", "lisbon"):
        finish(harness, name, "ppff")
    await harness.reconcile()
    names = sorted(each["metadata"]["name"] for each in harness.cluster.list_kind(JOBS.plural))
    assert names == ["lisbon-01", "lisbon-03", "rio-01", "rio-03"]
