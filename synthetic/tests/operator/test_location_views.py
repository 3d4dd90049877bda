"""Locations in the metrics, the JSON, the badge, the status page and the commands."""

import asyncio
import re
from contextlib import suppress

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.charts import promtool
from synthetic.operator import badge, location_list, monitor_api, status_page
from synthetic.operator.api_client import ApiError
from synthetic.operator.cronjob import LOCATION_LABEL
from synthetic.operator.resources import JOBS, MONITORS, PODS, Object
from tests.support.synthetic.kubernetes_objects import monitor, pod, termination_message
from tests.support.synthetic.object_api import command
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio

PREFIX = "cadastro_synthetic_monitor_"
FAILED = termination_message("failed", reason="http_status", status=503)
LOCATIONS = [{"name": "rio"}, {"name": "lisbon"}]


async def failing_at_rio(harness: OperatorHarness, quorum: int = 1) -> None:
    """Create a monitor that fails at one of two locations, beside one without locations."""
    thresholds = {"failures": 1, "outOf": 1}
    harness.add_monitor(locations=LOCATIONS, quorum=quorum, thresholds=thresholds)
    plain = monitor("plain")
    plain["metadata"]["uid"] = "other"
    harness.add(MONITORS, plain)
    await harness.reconcile()
    harness.finish_run("rio-1", FAILED, ended="Failed", location="rio")
    harness.finish_run("lisbon-1", termination_message("passed"), location="lisbon")
    await harness.reconcile()
    await harness.reconcile("plain")


def samples(harness: OperatorHarness, name: str) -> dict[tuple[str, ...], float]:
    """Return the values of a metric by monitor, location and result."""
    return {
        tuple(filter(None, (sample.labels.get(n) for n in ("monitor", "location", "result")))): (
            sample.value
        )
        for family in text_string_to_metric_families(harness.metrics())
        for sample in family.samples
        if sample.name == f"{PREFIX}{name}"
    }


async def test_metrics_have_the_verdict_and_each_location(harness: OperatorHarness) -> None:
    await failing_at_rio(harness)
    assert samples(harness, "up") == {("shop",): 0}
    assert samples(harness, "quorum") == {("shop",): 1}
    assert samples(harness, "location_up") == {("shop", "rio"): 0, ("shop", "lisbon"): 1}
    assert samples(harness, "location_consecutive_failures") == {
        ("shop", "rio"): 1,
        ("shop", "lisbon"): 0,
    }
    runs = {key: count for key, count in samples(harness, "location_runs_total").items() if count}
    assert runs == {("shop", "rio", "failed"): 1, ("shop", "lisbon", "passed"): 1}
    assert samples(harness, "runs_total")["shop", "failed"] == 1
    assert promtool.check_metrics(harness.metrics()) == ""


async def test_a_monitor_without_locations_has_no_metric_of_them(harness: OperatorHarness) -> None:
    harness.add_monitor()
    await harness.reconcile()
    assert "location" not in harness.metrics()
    assert "quorum" not in harness.metrics()


async def test_the_json_has_the_locations(harness: OperatorHarness) -> None:
    await failing_at_rio(harness, quorum=2)
    plain, shop = harness.cache
    found = monitor_api.to_details(shop, harness.now)
    assert (found["state"], found["quorum"]) == ("up", 2)
    assert [(each["name"], each["state"]) for each in found["locations"]] == [
        ("rio", "down"),
        ("lisbon", "up"),
    ]
    assert found["locations"][0]["lastRun"]["reason"] == "http_status"
    runs = {(run["location"], run["result"], run["verdict"]) for run in found["runs"]}
    assert runs == {("rio", "failed", "passed"), ("lisbon", "passed", "passed")}
    assert found["failures"][0]["location"] == "rio"
    assert monitor_api.to_summary(plain, harness.now)["locations"] == []


async def test_the_page_and_the_badge_show_the_locations(harness: OperatorHarness) -> None:
    await failing_at_rio(harness, quorum=2)
    plain, shop = harness.cache
    shown = location_list.render(shop)
    assert "2 locations, unhealthy when 2 fail" in shown
    assert re.search(r'<li class="down"><strong>rio</strong> \S failing .*503', shown)
    assert re.search(r'<li class="up"><strong>lisbon</strong> \S passing ', shown)
    assert shown in status_page.render(harness.cache, harness.now)
    assert location_list.render(plain) == ""
    assert ">up 1/2 100.00%<" in badge.render(shop, harness.now)
    assert ">unknown<" in badge.render(plain, harness.now)


async def test_the_commands_show_the_locations(harness: OperatorHarness) -> None:
    await failing_at_rio(harness)
    listed = (await command("monitors")).stdout.splitlines()
    assert [line.split("  ")[-1].strip() for line in listed] == [
        "LOCATIONS",
        "-",
        "1 down, 1 up",
    ]
    explained = (await command("explain", "shop")).stdout
    assert "\nLocations, unhealthy when 1 of 2 fail:\n  NAME " in explained
    assert re.search(
        r"^  rio +down +Failing +failed .* 1 +1 of the last 1 runs", explained, re.MULTILINE
    )
    assert "failed: rio: createClient http_status 503" in explained


async def requested(harness: OperatorHarness, count: int) -> list[Object]:
    """Reconcile until runs are requested, and return their Jobs."""
    while True:
        with suppress(KeyError, ApiError):  # a conflict with the annotation: the operator retries
            await harness.reconcile()
        if len(jobs := harness.cluster.list_kind("jobs")) == count:
            return jobs
        await asyncio.sleep(0)


def end(harness: OperatorHarness, jobs: list[Object], failing: str) -> None:
    """End Jobs; that of one location fails."""
    for job in jobs:
        fails = job["metadata"]["labels"][LOCATION_LABEL] == failing
        name, uid = (job["metadata"][key] for key in ("name", "uid"))
        probe = pod(FAILED if fails else termination_message("passed"), code=int(fails))
        labels = {"batch.kubernetes.io/controller-uid": uid}
        probe["metadata"] |= {"name": name, "namespace": NAMESPACE, "labels": labels}
        harness.add(PODS, probe)
        condition = {"type": "Failed" if fails else "Complete", "status": "True"}
        harness.change(JOBS, {**job, "status": {"conditions": [condition]}}, "status")


@pytest.mark.parametrize(
    ("options", "count", "code", "text"),
    [
        ((), 2, 1, "here/shop at rio failed"),
        (("--location", "lisbon"), 1, 0, "here/shop at lisbon passed"),
    ],
)
async def test_a_run_starts_at_all_locations_or_one(
    harness: OperatorHarness, options: tuple[str, ...], count: int, code: int, text: str
) -> None:
    harness.add_monitor(locations=LOCATIONS)
    running = asyncio.create_task(command("run", "shop", "--wait", *options))
    end(harness, await requested(harness, count), "rio")
    done = await running
    assert (done.code, done.stderr) == (code, "")
    assert text in done.stdout
    assert done.stdout.count("here/shop at ") == count


@pytest.mark.parametrize(
    ("locations", "fix"),
    [(LOCATIONS, "choose one of rio, lisbon"), ([], "leave --location out")],
)
async def test_an_unknown_location_requests_nothing(
    harness: OperatorHarness, locations: list[Object], fix: str
) -> None:
    harness.add_monitor(locations=locations)
    before = list(harness.cluster.writes)
    done = await command("run", "shop", "--location", "paris")
    assert (done.code, done.stdout) == (2, "")
    assert f"here/shop has no location 'paris': {fix}" in done.stderr
    assert harness.cluster.writes == before
