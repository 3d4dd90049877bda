"""History and status: counters, time windows, health and size."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from synthetic.operator.conditions import Condition, condition
from synthetic.operator.history import History
from synthetic.operator.observation import Observation
from synthetic.operator.resources import Object
from synthetic.operator.run_result import ERROR, FAILED, PASSED, Run
from synthetic.operator.spec import Spec
from synthetic.operator.status import build_status, percent
from tests.support.synthetic.kubernetes_objects import monitor

START = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
CREATED = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
READY = Condition("Ready", "True", "Scheduled", "")


def run(number: int, result: str = PASSED, *, minutes: int = 5) -> Run:
    """Return the n-th run; runs start every ``minutes``."""
    at = START + timedelta(minutes=minutes * number)
    step, reason = ("", "") if result == PASSED else ("createClient", "http_status")
    uid, ended = f"{number:08d}-0000-0000", at + timedelta(seconds=2)
    return Run(uid, f"j{number}", result, at, ended, 812, step, reason)


def status(
    results: str, now: datetime | None = None, *, before: Object | None = None, **spec: Any
) -> Object:
    """Return the status after runs every five minutes: p passed, f failed, e error."""
    names = {"p": PASSED, "f": FAILED, "e": ERROR}
    runs = [run(number, names[letter]) for number, letter in enumerate(results)]
    history = History().count(runs, [each.uid for each in runs])
    wanted = monitor(status=before, **spec)
    parsed = Spec.from_monitor(wanted)
    schedule = None if parsed.suspend else parsed.schedule
    observed = Observation(ready=READY, schedule=schedule, last=runs[-1] if runs else None)
    moment = now or (runs[-1].finished_at if runs else CREATED)
    return build_status(wanted, parsed, history, observed, moment)


def health(
    results: str, now: datetime | None = None, *, before: Object | None = None, **spec: Any
) -> tuple[str, str]:
    """Return status and reason of the condition Healthy."""
    found = condition(status(results, now, before=before, **spec), "Healthy")
    return found["status"], found["reason"]


def test_counts_a_job_once_and_drops_its_uid_after_deletion() -> None:
    history = History()
    for _ in range(3):
        history = history.count([run(1), run(2, FAILED)], [run(1).uid, run(2).uid])
    assert history.totals == {"passed": 1, "failed": 1, "error": 0, "disrupted": 0}
    assert history.count([], [run(2).uid]).counted == {run(2).uid[:18]}


def test_the_history_round_trips_through_the_status() -> None:
    before = status("ppfep")
    assert History.read(before) == History.read(status("ppfep"))
    again = History.read(before)
    assert again.windows() == before["windows"]
    assert [each.line for each in again.runs] == before["runs"]


def test_windows_count_the_runs_of_their_days_and_hours() -> None:
    runs = [run(n, FAILED if n % 7 == 0 else PASSED, minutes=60) for n in range(24 * 30)]
    history = History().count(runs, [])
    now = runs[-1].finished_at
    # the first day, which starts at ten, is older than the longest window
    for window, kept in (("30d", range(14, 24 * 30)), ("24h", range(24 * 29, 24 * 30))):
        failed = sum(n % 7 == 0 for n in kept)
        assert history.window_counts(window, now) == (len(kept) - failed, failed, 0)
    assert history.window_counts("1h", now) == (1, 0, 0)
    assert sum(history.totals.values()) == len(runs)


@pytest.mark.parametrize(
    ("results", "spec", "wanted"),
    [
        ("", {}, ("Unknown", "NoRunYet")),
        ("p", {}, ("True", "Passing")),
        ("f", {}, ("Unknown", "NoPassYet")),
        ("ff", {}, ("Unknown", "NoPassYet")),
        ("eff", {}, ("Unknown", "NoPassYet")),
        ("pff", {}, ("True", "Passing")),
        ("fff", {}, ("False", "Failing")),
        ("pfefef", {}, ("False", "Failing")),
        ("fffp", {}, ("True", "Passing")),
        ("fpfpf", {"thresholds": {"failures": 3, "outOf": 5}}, ("False", "Failing")),
        ("fppppf", {"thresholds": {"failures": 2, "outOf": 5}}, ("True", "Passing")),
        ("f", {"thresholds": {"failures": 1, "outOf": 1}}, ("False", "Failing")),
        ("pppeee", {}, ("Unknown", "MonitorBroken")),
        ("p", {"thresholds": {"degradedMs": 800}}, ("True", "Degraded")),
        ("fff", {"suspend": True}, ("Unknown", "Suspended")),
    ],
)
def test_a_monitor_is_unhealthy_after_n_of_m_failures(
    results: str, spec: dict[str, Any], wanted: tuple[str, str]
) -> None:
    assert health(results, **spec) == wanted


def test_is_unknown_without_recent_runs() -> None:
    late = START + timedelta(minutes=30)
    assert health("ppp", START + timedelta(minutes=12)) == ("True", "Passing")
    assert health("ppp", late) == ("Unknown", "NoData")
    assert health("", late, before=status("")) == ("Unknown", "NoData")


def test_a_new_or_resumed_monitor_is_not_overdue() -> None:
    late = START + timedelta(days=3)
    assert health("", late) == ("Unknown", "NoRunYet")
    suspended = status("p", suspend=True)
    assert health("p", late, before=suspended) == ("True", "Passing")


def test_an_unchanged_condition_keeps_its_transition_time() -> None:
    first = status("p")
    wanted = monitor(status=first)
    later = build_status(
        wanted,
        Spec.from_monitor(wanted),
        History.read(first),
        Observation(ready=READY, schedule=Spec.from_monitor(wanted).schedule),
        START + timedelta(minutes=6),
    )
    assert later["conditions"] == first["conditions"]


def test_the_status_stays_under_8_kib() -> None:
    runs = [run(n, FAILED, minutes=480) for n in range(300)]
    history = History().count(runs, [each.uid for each in runs[-130:]])
    wanted = monitor()
    observed = Observation(ready=READY, last=runs[-1])
    written = build_status(
        wanted, Spec.from_monitor(wanted), history, observed, runs[-1].finished_at
    )
    assert len(orjson.dumps(written)) <= 8192
    assert len(written["runs"]) > 30
    assert written["totals"]["failed"] == 300


def test_computes_the_error_budget_from_the_runs_that_the_window_holds() -> None:
    slo = status("p" * 19 + "f", slo={"objective": "90", "window": "1d"})["slo"]
    # a day holds 288 runs, of which 28.8 may fail
    assert slo == {"objective": "90%", "window": "1d", "budgetRemaining": "96.52%", "failed": 1}


@pytest.mark.parametrize(
    ("spec", "remaining"),
    [
        ({}, "97.68%"),
        ({"schedule": "0 * * * *"}, "72.22%"),
        ({"schedule": "0 9 * * MON", "slo": {"objective": "50", "window": "30d"}}, "50.00%"),
        ({"schedule": "0 0 30 2 *"}, "-19899.99%"),  # only the runs so far
    ],
)
def test_one_failure_at_first_spends_its_share_of_the_budget(
    spec: dict[str, Any], remaining: str
) -> None:
    assert status("f", **spec)["slo"]["budgetRemaining"] == remaining


def test_percentages_are_rounded_down() -> None:
    assert [percent(share) for share in (None, 1.0, 0.99999, 0.5, -1.5)] == [
        "",
        "100.00%",
        "99.99%",
        "50.00%",
        "-150.00%",
    ]
