"""Incidents of a monitor: their start, their end, and what is left out."""

import random
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.incident import Incident
from synthetic.operator.resources import JOBS, PODS
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import START, OperatorHarness

pytestmark = pytest.mark.anyio

PASS = termination_message("passed")
FAILURE = termination_message("failed", reason="http_status", status=503)
BROKEN = termination_message("error", reason="runner")
WHY = "createClient http_status 503"
TWO_OF_THREE = {"failures": 2, "outOf": 3}
ONE = {"failures": 1, "outOf": 1}
WRITES = 8  # CronJob, status, Event, and deletions of old Jobs


def add_runs(harness: OperatorHarness, results: str, start: int = 0) -> None:
    """Add runs at every minute: p passed, f failed, e error, and others are left out."""
    messages = {"p": PASS, "f": FAILURE, "e": BROKEN}
    for place, letter in enumerate(results, start):
        if letter in messages:
            ended = "Complete" if letter == "p" else "Failed"
            harness.finish_run(f"job-{place}", messages[letter], ended=ended, minute=place)


def at(minutes: int) -> str:
    """Return a time as the status has it."""
    return f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def incidents(harness: OperatorHarness) -> list[tuple[int, int | None]]:
    """Return the minutes of the start and of the end of the incidents."""
    read = [Incident.read(line) for line in harness.status.get("incidents", [])]
    return [(minute(each.start), minute(each.end) if each.end else None) for each in read]


def minute(moment: datetime) -> int:
    """Return the minutes since the start."""
    return (moment - START) // timedelta(minutes=1)


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ("ppff", []),
        ("ppfff", [(2, None)]),
        ("ppfffff", [(2, None)]),
        ("ppfffp", [(2, 5)]),
        ("fff.p", [(0, 4)]),
        ("fffpfffp", [(0, 3), (4, 7)]),
        ("fffeee", [(0, None)]),  # an error is no recovery
        ("fffeeep", [(0, 6)]),
    ],
)
async def test_an_incident_lasts_from_the_first_failure_to_the_recovery(
    harness: OperatorHarness, results: str, found: list[tuple[int, int | None]]
) -> None:
    harness.add_monitor()
    add_runs(harness, results)
    await harness.reconcile()
    assert incidents(harness) == found
    await harness.reconcile()
    assert incidents(harness) == found


@pytest.mark.parametrize(
    ("results", "found"),
    [("fpf", [(0, None)]), ("fpfpp", [(0, 3)]), ("ffppfpf", [(0, 3), (4, None)])],
)
async def test_the_thresholds_decide_about_start_and_end(
    harness: OperatorHarness, results: str, found: list[tuple[int, int | None]]
) -> None:
    harness.add_monitor(thresholds=TWO_OF_THREE)
    add_runs(harness, results)
    await harness.reconcile()
    assert incidents(harness) == found


async def test_an_incident_has_the_reason_of_the_run_that_made_the_monitor_unhealthy(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    add_runs(harness, "fff")
    await harness.reconcile()
    assert harness.status["incidents"] == [f"{at(0)} - {WHY}"]
    add_runs(harness, "p", 3)
    await harness.reconcile()
    assert harness.status["incidents"] == [f"{at(0)} 180 {WHY}"]


@pytest.mark.parametrize("seed", range(5))
async def test_it_makes_no_difference_how_many_runs_are_counted_at_once(
    harness: OperatorHarness, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - the same runs each time
    results = "".join(rng.choices("pfe", weights=(4, 4, 1), k=40))
    harness.add_monitor(thresholds=TWO_OF_THREE, history={"success": 50, "failed": 50})
    add_runs(harness, results)
    await harness.reconcile()
    at_once = harness.status["incidents"]
    for resource in (JOBS, PODS):
        for each in harness.cluster.list_kind(resource.plural):
            harness.delete(resource, each["metadata"]["name"])
    harness.change_status({})
    for place, result in enumerate(results):
        add_runs(harness, result, place)
        await harness.reconcile()
    assert harness.status["incidents"] == at_once
    assert len(at_once) > 2


@pytest.mark.parametrize("is_applied", [True, False], ids=["applied", "lost"])
@pytest.mark.parametrize("write", range(1, WRITES + 1))
async def test_an_interrupted_operator_loses_and_repeats_no_incident(
    harness: OperatorHarness, write: int, *, is_applied: bool
) -> None:
    harness.add_monitor(thresholds=ONE, history={"success": 0, "failed": 0})
    add_runs(harness, "pfpff")
    harness.cluster.stop_responding(write, is_applied=is_applied)
    with suppress(ApiError):
        await harness.reconcile()
    harness.cluster.resume()
    await harness.reconcile()
    assert harness.status["incidents"] == [f"{at(1)} 60 {WHY}", f"{at(3)} - {WHY}"]
    assert harness.cluster.list_kind("jobs") == []


async def test_the_interruptions_cover_all_writes(harness: OperatorHarness) -> None:
    harness.add_monitor(thresholds=ONE, history={"success": 0, "failed": 0})
    add_runs(harness, "pfpff")
    before = len(harness.cluster.writes)
    await harness.reconcile()
    assert len(harness.cluster.writes) - before == WRITES - 1


async def test_failures_in_maintenance_are_no_incident(harness: OperatorHarness) -> None:
    window = {"reason": "Upgrade", "start": at(0), "end": at(5)}
    harness.add_monitor(maintenance=[window])
    add_runs(harness, "fffffp")
    await harness.reconcile()
    assert incidents(harness) == []
    assert len(harness.status["runs"]) == 6


@pytest.mark.parametrize("is_running", [True, False], ids=["in-time", "after-the-window"])
async def test_maintenance_ends_an_incident_and_a_later_failure_starts_another(
    harness: OperatorHarness, *, is_running: bool
) -> None:
    window = {"reason": "Upgrade", "start": at(4), "end": at(8)}
    harness.add_monitor(maintenance=[window])
    add_runs(harness, "fff")
    if is_running:
        await harness.reconcile()
        harness.now = START + timedelta(minutes=4, seconds=-1)
        await harness.reconcile()
        assert incidents(harness) == [(0, 4)]
    add_runs(harness, "ff", 4)
    harness.now = START + timedelta(minutes=8, seconds=-1)
    await harness.reconcile()
    add_runs(harness, "fff", 8)
    await harness.reconcile()
    assert incidents(harness) == [(0, 4), (8, None)]


async def test_an_incident_ends_when_the_monitor_is_suspended(harness: OperatorHarness) -> None:
    harness.add_monitor()
    add_runs(harness, "fff")
    await harness.reconcile()
    harness.update_spec(suspend=True)
    harness.now = START + timedelta(minutes=5, seconds=-1)
    await harness.reconcile()
    assert incidents(harness) == [(0, 5)]
    add_runs(harness, "f", 6)  # a requested run
    await harness.reconcile()
    assert incidents(harness) == [(0, 5)]
    harness.update_spec(suspend=False)
    await harness.reconcile()
    assert incidents(harness) == [(0, 5), (6, None)]


async def test_missing_data_does_not_end_an_incident(harness: OperatorHarness) -> None:
    harness.add_monitor()
    add_runs(harness, "fff")
    await harness.reconcile()
    harness.now = START + timedelta(hours=3)
    await harness.reconcile()
    assert harness.healthy() == ("Unknown", "NoData")
    assert incidents(harness) == [(0, None)]


async def test_incidents_follow_changed_thresholds(harness: OperatorHarness) -> None:
    harness.add_monitor()
    add_runs(harness, "pff")
    await harness.reconcile()
    assert incidents(harness) == []
    harness.update_spec(thresholds=ONE)
    await harness.reconcile()
    assert incidents(harness) == [(2, None)]
    harness.update_spec(thresholds={"failures": 30, "outOf": 30})
    harness.now = START + timedelta(minutes=3, seconds=-1)
    await harness.reconcile()
    assert incidents(harness) == [(2, 3)]


async def test_incidents_of_the_last_thirty_days_are_kept_and_at_most_twenty(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(thresholds=ONE, history={"success": 50, "failed": 50})
    add_runs(harness, "fp" * 25)
    await harness.reconcile()
    assert incidents(harness) == [(place, place + 1) for place in range(10, 50, 2)]
    harness.now = START + timedelta(days=30, minutes=41, seconds=-1)
    await harness.reconcile()
    assert incidents(harness) == [(place, place + 1) for place in range(40, 50, 2)]
    harness.now += timedelta(hours=1)
    await harness.reconcile()
    assert "incidents" not in harness.status


async def test_a_status_of_an_earlier_release_gets_the_incident_in_progress(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    add_runs(harness, "pfff")
    await harness.reconcile()
    old = {name: value for name, value in harness.status.items() if name != "incidents"}
    harness.change_status(old)
    await harness.reconcile()
    assert incidents(harness) == [(1, None)]


async def test_an_edited_incident_in_the_future_is_unreadable(harness: OperatorHarness) -> None:
    harness.add_monitor()
    add_runs(harness, "fff")
    await harness.reconcile()
    edited = ["2099-01-01T00:00:00Z 10", "2026-01-31T08:00:00Z - x", "2026-01-31T08:30:00Z - y"]
    too_long = "2026-01-31T08:30:00Z 999999999 z"
    harness.change_status({**harness.status, "incidents": [too_long, *edited]})
    add_runs(harness, "p", 3)
    await harness.reconcile()
    assert harness.status["incidents"] == [
        "2026-01-31T08:00:00Z 3780 x",
        "2026-01-31T08:30:00Z 1980 y",
    ]
    assert "StatusUnreadable" in harness.events()
