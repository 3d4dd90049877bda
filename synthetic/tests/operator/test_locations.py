"""Monitors with locations: a CronJob each, and one verdict by the quorum."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.cronjob import LOCATION_LABEL
from synthetic.operator.resources import CRON_JOBS
from tests.support.synthetic.locations import entries, finish, places, states
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio

ONCE = {"failures": 1, "outOf": 1}


async def test_each_location_has_a_cron_job_on_its_nodes(harness: OperatorHarness) -> None:
    rio = {"name": "rio", "nodeSelector": {"zone": "rio"}, "tolerations": [{"key": "edge"}]}
    pod = {"nodeSelector": {"zone": "any", "arch": "arm64"}, "tolerations": [{"key": "gpu"}]}
    harness.add_monitor(locations=[rio, {"name": "lisbon"}], pod=pod)
    await harness.reconcile()
    assert set(harness.cron_jobs) == {"rio", "lisbon"}
    assert len({each["metadata"]["name"] for each in harness.cron_jobs.values()}) == 2
    for name, cron_job in harness.cron_jobs.items():
        template = cron_job["spec"]["jobTemplate"]
        assert template["metadata"]["labels"][LOCATION_LABEL] == name
        assert template["spec"]["template"]["metadata"]["labels"][LOCATION_LABEL] == name
    found = harness.cron_jobs["rio"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert found["nodeSelector"] == {"zone": "rio", "arch": "arm64"}
    assert found["tolerations"] == [{"key": "gpu"}, {"key": "edge"}]
    assert harness.ready() == ("True", "Scheduled")
    before = list(harness.cluster.writes)
    await harness.reconcile()
    assert harness.cluster.writes == before


@pytest.mark.parametrize(
    ("results", "quorum", "wanted"),
    [
        (("p", "p", "p"), None, ("True", "Passing")),
        (("pfff", "p", "p"), None, ("True", "BelowQuorum")),
        (("pfff", "pfff", "p"), None, ("False", "Failing")),
        (("pfff", "p", "p"), 1, ("False", "Failing")),
        (("pfff", "pfff", "p"), 3, ("True", "BelowQuorum")),
        (("fff", "fff", "fff"), 3, ("False", "Failing")),
        (("pff", "pff", "pff"), 1, ("True", "Passing")),
        (("", "", ""), None, ("Unknown", "NoRunYet")),
        (("p", "", "f"), 1, ("True", "Passing")),
        (("f", "", "f"), 1, ("Unknown", "NoPassYet")),
    ],
)
async def test_the_monitor_is_unhealthy_when_the_quorum_fails(
    harness: OperatorHarness,
    results: Iterable[str],
    quorum: int | None,
    wanted: tuple[str, str],
) -> None:
    names = ("a", "b", "c")
    chosen = {} if quorum is None else {"quorum": quorum}
    harness.add_monitor(locations=places(*names), **chosen)
    await harness.reconcile()
    for name, letters in zip(names, results, strict=True):
        finish(harness, name, letters)
    await harness.reconcile()
    assert harness.healthy() == wanted


async def test_the_verdict_names_the_locations_and_recovers(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"), thresholds=ONCE, quorum=1)
    await harness.reconcile()
    finish(harness, "rio", "pf")
    finish(harness, "lisbon", "pp")
    await harness.reconcile()
    assert harness.healthy() == ("False", "Failing")
    message = condition(harness.status, "Healthy")["message"]
    assert message.startswith("1 of 2 locations failing: rio: 1 of the last 1 runs failed")
    assert states(harness) == {"rio": ("False", "Failing"), "lisbon": ("True", "Passing")}
    rio = entries(harness)["rio"]
    assert (rio["consecutiveFailures"], rio["lastRun"]["location"]) == (1, "rio")
    assert harness.status["consecutiveFailures"] == 1
    assert [each["location"] for each in harness.status["failures"]] == ["rio"]
    finish(harness, "rio", "p", 3)
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")
    assert harness.events() == ["Unhealthy", "Healthy"]


async def test_a_location_without_data_leaves_the_verdict_to_the_others(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(locations=places("a", "b", "c"), interval="1m")
    await harness.reconcile()
    for minute in range(30):
        for name in "ab":
            finish(harness, name, "p", minute)
    harness.now += timedelta(seconds=1)
    await harness.reconcile()
    assert states(harness)["c"] == ("Unknown", "NoData")
    assert harness.healthy() == ("True", "BelowQuorum")
    harness.update_spec(quorum=1)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "NoData")
    assert "c: No run has ended" in condition(harness.status, "Healthy")["message"]


async def test_a_new_location_of_an_old_monitor_has_time_for_its_first_run(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(locations=places("a"), interval="1m", quorum=1)
    await harness.reconcile()
    finish(harness, "a", "p", 45)
    harness.update_spec(locations=places("a", "b"))
    await harness.reconcile()
    assert states(harness)["b"] == ("Unknown", "NoRunYet")
    assert harness.healthy() == ("True", "Passing")


async def test_a_location_that_cannot_be_scheduled_is_named(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"))
    await harness.reconcile()
    theirs = harness.cron_jobs["rio"]
    harness.delete(CRON_JOBS, theirs["metadata"]["name"])
    foreign = {**theirs, "metadata": {"name": theirs["metadata"]["name"], "namespace": "here"}}
    harness.add(CRON_JOBS, foreign)
    assert await harness.reconcile()
    assert harness.ready() == ("False", "NameTaken")
    assert condition(harness.status, "Ready")["message"].startswith("Location rio: The CronJob")
    assert condition(entries(harness)["lisbon"], "Ready")["status"] == "True"
    assert states(harness)["rio"] == ("Unknown", "NotReady")


async def test_a_suspended_monitor_suspends_all_locations(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"), suspend=True)
    await harness.reconcile()
    assert all(each["spec"]["suspend"] for each in harness.cron_jobs.values())
    assert harness.healthy() == ("Unknown", "Suspended")
    assert set(states(harness).values()) == {("Unknown", "Suspended")}


async def test_maintenance_is_that_of_all_locations(harness: OperatorHarness) -> None:
    window = {"reason": "Move", "start": "2026-01-31T09:10:00Z", "end": "2026-01-31T09:20:00Z"}
    harness.add_monitor(locations=places("rio", "lisbon"), maintenance=[window], thresholds=ONCE)
    await harness.reconcile()
    for name in ("rio", "lisbon"):
        finish(harness, name, "p")
        finish(harness, name, "f", 12)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "Maintenance")
    assert harness.status["totals"]["maintenance"] == 2
    for name in ("rio", "lisbon"):
        finish(harness, name, "f", 25)
    await harness.reconcile()
    assert harness.healthy() == ("False", "Failing")
    assert harness.status["totals"]["failed"] == 2


async def test_the_uptime_counts_verdicts(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("a", "b", "c"))
    await harness.reconcile()
    for minute, letters in enumerate(("ppp", "fpp", "fpp", "fff", "pff", "ppf")):
        for name, letter in zip("abc", letters, strict=True):
            finish(harness, name, letter, minute)
        await harness.reconcile()
    # the quorum of two fails from the first failure of b to its pass
    assert [line.split(" ")[1] for line in entries(harness)["a"]["runs"]] == [
        *("passed", "failed/tolerated", "failed/tolerated", "failed/tolerated"),
        *("passed/outage", "passed/outage"),
    ]
    totals = harness.status["totals"]
    assert (totals["passed"], totals["failed"]) == (10, 8)
    (day,) = harness.status["windows"]["days"]
    passed, failed = map(int, day.split(" ")[1:3])
    assert passed + failed == 18
    assert harness.status["slo"]["failed"] == failed
    assert failed == 6
    (view,) = harness.cache
    assert view.history.window_counts("1h", harness.now) == (passed, failed, 0)


async def test_an_incident_starts_when_the_quorum_fails(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("a", "b"), thresholds=ONCE)
    await harness.reconcile()
    for name, letters in (("a", "pffp"), ("b", "ppfp")):
        finish(harness, name, letters)
    await harness.reconcile()
    (incident,) = harness.status["incidents"]
    start, seconds, reason = incident.split(" ", 2)
    assert start == "2026-01-31T09:02:00Z"
    assert int(seconds) == 60
    assert reason == "b: createClient http_status 503"


async def test_a_rejected_request_is_the_state_of_all_locations(harness: OperatorHarness) -> None:
    harness.add_monitor(locations=places("rio", "lisbon"))
    await harness.reconcile()
    finish(harness, "rio", "p")
    finish(harness, "lisbon", "p")
    await harness.reconcile()
    harness.cluster.fail("GET", "*/jobs", 403)
    with pytest.raises(Exception, match="403"):
        await harness.reconcile()
    assert harness.ready() == ("False", "Forbidden")
    assert set(states(harness).values()) == {("Unknown", "NotReady")}
    assert entries(harness)["rio"]["totals"]["passed"] == 1
    await harness.reconcile()
    assert harness.healthy() == ("True", "Passing")
