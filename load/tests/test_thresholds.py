"""Thresholds: each one can be missed, and the row that missed says what."""

from pathlib import Path

import pytest

from load.harness.recording import NOT_STARTED, REFUSED
from load.harness.run_result import Outcome
from load.harness.thresholds import FOLDER, ThresholdError, judge, read
from load.harness.verification import Consistency
from load.shapes import SHAPES
from tests.support.load.made_up_runs import BEGAN, fill, made_up, slow_down


def missed(outcome: Outcome) -> list[str]:
    """Return the names of the rows that a run misses."""
    rows = judge(outcome, read(FOLDER / f"{outcome.plan.shape}.toml"))
    return [row.name for row in rows if not row.holds]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_good_run_meets_the_thresholds_of_its_shape(shape: str) -> None:
    assert missed(made_up(shape)) == []


def test_there_is_a_file_for_each_shape_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(SHAPES)


def test_a_slow_operation_is_named_and_no_other() -> None:
    outcome = made_up()
    slow_down(outcome, "POST /b", 210)
    assert missed(outcome) == ["steady: p50 of POST /b"]


def test_what_is_dear_by_its_nature_may_cost_more_and_yet_not_anything() -> None:
    outcome = made_up()
    for second in range(10, 320):
        for name in ("POST /inventory/add_product", "GET /c"):
            fill(outcome, second, name, 200)
    assert missed(outcome) == ["steady: p50 of GET /c"]
    slow_down(outcome, "POST /inventory/add_product", 400)
    assert "steady: p50 of POST /inventory/add_product" in missed(outcome)


def test_a_slow_machine_is_no_slow_operation() -> None:
    outcome = made_up()
    for name in ("GET /a", "POST /b"):
        slow_down(outcome, name, 210)
    assert missed(outcome) == []


def test_a_slow_tail_is_seen_where_the_median_is_not_moved() -> None:
    outcome = made_up()
    for second in range(20, 320):
        fill(outcome, second, "GET /a", 5_000)
    assert missed(outcome) == ["steady: p99 of GET /a"]


def test_one_failed_call_is_one_too_many_and_is_named() -> None:
    outcome = made_up()
    fill(outcome, 30, "GET /a", 10, "500")
    assert missed(outcome) == ["failed calls", "failed: GET /a"]


def test_a_spike_may_be_refused_and_a_steady_day_may_not() -> None:
    steady, spike = made_up("steady"), made_up("spike")
    for outcome in (steady, spike):
        fill(outcome, 50, "GET /a", 10, REFUSED)
    assert missed(steady) == ["refused with Retry-After"]
    assert missed(spike) == []


def test_a_failure_in_a_spike_counts_although_its_latencies_do_not() -> None:
    outcome = made_up("spike")
    for _ in range(500):
        fill(outcome, 50, "GET /a", 9_000)
    assert missed(outcome) == []
    fill(outcome, 50, "GET /a", 10, "503")
    assert "failed: GET /a" in missed(outcome)


def test_a_system_that_is_slow_for_long_after_a_spike_is_found() -> None:
    outcome = made_up("spike")
    for second in range(70, 90):
        fill(outcome, second, "GET /a", 3_000)
    assert [name for name in missed(outcome) if name.startswith("until p99")]


def test_actions_that_never_began_are_missed() -> None:
    outcome = made_up()
    for _ in range(1_000):
        fill(outcome, 50, "(the client)", 0, NOT_STARTED)
    assert "failed: (the client)" in missed(outcome)


def test_a_run_without_a_call_is_no_good_run() -> None:
    outcome = made_up()
    outcome.recording.cells.clear()
    assert "calls" in missed(outcome)


def test_half_of_the_calls_are_too_few() -> None:
    outcome = made_up()
    keys = [key for key in outcome.recording.cells if key[0] % 2 and key[0] > BEGAN + 20]
    for key in keys:
        del outcome.recording.cells[key]
    assert missed(outcome) == ["calls for each arrival asked"]


def test_a_purchase_that_is_not_listed_is_told_with_its_client() -> None:
    wrong = Consistency(1, 5, 5, 4, ["client 7 bought 5, and 4 are listed"])
    assert missed(made_up(consistency=wrong)) == ["items listed for 1 clients", "inventory"]


def test_a_client_that_has_no_strength_to_spare_is_found_out() -> None:
    assert missed(made_up(cost=100.0)) == ["what the client alone can do"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("failed = 0", "refused"),
        ("faild = 0", "faild"),
        ("failed =", "Invalid value"),
        ("[latency]\np42 = {floor = 1, times = 1}", "latency.p42"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_what_is_wrong(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "steady.toml"
    path.write_text(text)
    with pytest.raises(ThresholdError, match=told):
        read(path)
