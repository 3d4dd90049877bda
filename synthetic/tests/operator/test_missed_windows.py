"""Maintenance windows that begin and end while the operator does not run."""

from datetime import timedelta
from typing import Any

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.incident import Incident
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import START, OperatorHarness

pytestmark = pytest.mark.anyio

FAILURE = termination_message("failed", reason="http_status", status=503)


def at(minutes: int) -> str:
    """Return a time as the status has it."""
    return f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def upgrade(start: int, end: int, **more: str) -> dict[str, Any]:
    """Return a window between two minutes."""
    return {"reason": "Upgrade", "start": at(start), "end": at(end), **more}


async def fail(harness: OperatorHarness, *minutes: int) -> None:
    """Add failed runs, and count them at once."""
    for minute in minutes:
        harness.finish_run(f"job-{minute}", FAILURE, ended="Failed", minute=minute)
    await harness.reconcile()


def incidents(harness: OperatorHarness) -> list[tuple[str, str]]:
    """Return the start and the end of the incidents."""
    read = [Incident.read(line) for line in harness.status.get("incidents", [])]
    return [(f"{each.start:%H:%M}", f"{each.end:%H:%M}" if each.end else "") for each in read]


@pytest.mark.parametrize("runs", ["Continue", "Pause"])
@pytest.mark.parametrize("seen", [(4, 8), (4,), ()], ids=["seen", "start-seen", "missed"])
@pytest.mark.parametrize("is_of_cluster", [False, True], ids=["own", "cluster"])
async def test_a_window_ends_an_incident_and_needs_a_new_failure(
    harness: OperatorHarness, runs: str, seen: tuple[int, ...], *, is_of_cluster: bool
) -> None:
    window = upgrade(4, 8, runs=runs)
    if is_of_cluster:
        harness.add_maintenance(**window)
    harness.add_monitor(**({} if is_of_cluster else {"maintenance": [window]}))
    await fail(harness, 1, 2, 3)
    assert incidents(harness) == [("09:01", "")]
    for minute in (*seen, 9, 10):
        await harness.reconcile_at(minute)
    assert incidents(harness) == [("09:01", "09:04")]
    assert harness.healthy() == ("Unknown", "NoRunYet")
    assert condition(harness.status, "Maintenance")["lastTransitionTime"] == at(8)
    assert harness.events().count("MaintenanceEnded") == 1
    await fail(harness, 11)
    assert incidents(harness) == [("09:01", "09:04"), ("09:11", "")]
    await harness.reconcile()
    before = harness.cluster.writes[:]
    await harness.reconcile()
    assert harness.cluster.writes == before


async def test_each_of_several_missed_windows_ends_an_incident(harness: OperatorHarness) -> None:
    recurring = {"reason": "Disks", "schedule": "14,17 9 * * *", "duration": "1m"}
    harness.add_monitor(maintenance=[upgrade(4, 8), recurring])
    await fail(harness, 1, 2, 3)
    await harness.reconcile_at(9)
    await fail(harness, 11, 16, 20)
    assert incidents(harness)[1:] == [("09:11", "09:14"), ("09:16", "09:17"), ("09:20", "")]
    assert condition(harness.status, "Maintenance")["lastTransitionTime"] == at(18)


async def test_a_window_of_a_later_spec_leaves_an_earlier_incident_alone(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await fail(harness, 1, 2, 3, 5)
    harness.update_spec(maintenance=[upgrade(2, 4)])
    await harness.reconcile_at(6)
    assert incidents(harness) == [("09:01", "")]
    assert harness.healthy() == ("False", "Failing")
    assert condition(harness.status, "Maintenance") == {}


async def test_thousands_of_missed_periods_are_searched_fast(harness: OperatorHarness) -> None:
    often = {"reason": "Disks", "schedule": "*/5 * * * *", "duration": "2m"}
    harness.add_monitor(maintenance=[often])
    await fail(harness, 3)
    await harness.reconcile_at(60 * 24 * 365 + 4)
    ended = condition(harness.status, "Maintenance")["lastTransitionTime"]
    assert ended == at(60 * 24 * 365 + 2)
