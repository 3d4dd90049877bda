"""Times of maintenance windows: schedules, time zones, several windows, mistakes."""

from datetime import timedelta
from typing import Any

import pytest

from synthetic.operator.conditions import condition
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio

HOUR = {"reason": "Upgrade", "start": "2026-01-31T09:00:00Z", "end": "2026-01-31T10:00:00Z"}
LATER = {**HOUR, "start": "2026-01-31T09:30:00Z"}
NIGHTLY = {"reason": "Backup", "schedule": "0 6 * * *", "duration": "1h30m"}


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ({}, "2026-01-31T06:00:00+00:00", "True"),
        ({}, "2026-01-31T07:29:59+00:00", "True"),
        ({}, "2026-01-31T07:30:00+00:00", "False"),
        ({"timeZone": "America/Sao_Paulo"}, "2026-01-31T06:30:00+00:00", "False"),
        ({"timeZone": "America/Sao_Paulo"}, "2026-01-31T09:30:00+00:00", "True"),
    ],
    ids=["start", "last-second", "end", "before-in-its-zone", "in-its-zone"],
)
async def test_a_schedule_recurs_in_its_time_zone(
    harness: OperatorHarness, zone: dict[str, str], at: str, expected: str
) -> None:
    harness.add_monitor(maintenance=[{**NIGHTLY, **zone}])
    moment = harness.now.fromisoformat(at)
    for days in (0, 1, 100):
        harness.now = moment + timedelta(days=days, seconds=-1)
        await harness.reconcile()
        found = condition(harness.status, "Maintenance").get("status", "False")
        assert found == expected


async def test_periods_without_a_gap_are_one_maintenance(harness: OperatorHarness) -> None:
    harness.add_monitor(maintenance=[{**NIGHTLY, "schedule": "*/5 9-10 * * *"}])
    assert await harness.reconcile()
    assert harness.status["maintenance"]["until"] == "2026-01-31T12:25:00Z"


async def test_of_several_windows_the_last_end_is_shown_and_any_pauses(
    harness: OperatorHarness,
) -> None:
    pausing = {**HOUR, "reason": "Disk", "end": "2026-01-31T09:30:00Z", "runs": "Pause"}
    harness.add_monitor(maintenance=[HOUR, pausing])
    assert await harness.reconcile_at(10) == 1200
    shown = {"reason": "Upgrade", "until": "2026-01-31T10:00:00Z", "runs": "Pause"}
    assert harness.status["maintenance"] == shown
    await harness.reconcile_at(30)
    assert harness.status["maintenance"] == {**shown, "runs": "Continue"}
    assert harness.events() == ["MaintenanceStarted"]


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({**NIGHTLY, "schedule": "0 0 30 2 *"}, "it never fires"),
        ({**NIGHTLY, "duration": "2 days"}, "such as 2h or 1h30m"),
        ({**HOUR, "start": "2026-02-30T09:00:00Z"}, "spec.maintenance[1].start"),
        ({**HOUR, "start": "2026-01-31T09:00:00"}, "has no time zone"),
        ({**HOUR, "start": "0001-01-01T00:00:00+05:00"}, "is no time"),
        ({**HOUR, "end": "2026-01-31T09:00:00Z"}, "spec.maintenance[1].end is not after start"),
        ({"reason": "Upgrade"}, "spec.maintenance[1] cannot be read"),
        ({**NIGHTLY, "schedule": "* * * * *", "duration": "168h"}, "leaves no gap between"),
        ({**NIGHTLY, "schedule": "0-9 0 * * *", "duration": "24h"}, "leaves no gap between"),
    ],
    ids=[
        *("never", "duration", "no-such-day", "no-offset", "no-year"),
        *("end-before-start", "earlier-schema"),
        *("each-minute", "each-day"),
    ],
)
async def test_an_invalid_window_is_ready_false_and_the_others_apply(
    harness: OperatorHarness, window: dict[str, Any], message: str
) -> None:
    harness.add_monitor(maintenance=[HOUR, window])
    await harness.reconcile()
    ready = condition(harness.status, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "InvalidMaintenance")
    assert message in ready["message"]
    assert harness.maintenance() == ("True", "InWindow")
