"""Thresholds: each can be missed, and the missed check names the cause."""

from pathlib import Path

import pytest

from load.harness.call_stats import NOT_STARTED, REFUSED
from load.harness.run_result import RunResult
from load.harness.thresholds import FOLDER, ThresholdError, evaluate, load_thresholds
from load.harness.verification import Consistency
from load.shapes import SHAPES
from tests.support.load.fake_runs import BEGAN, add_call, build_run, set_latency


def missed(result: RunResult) -> list[str]:
    """Return the names of the checks that a run misses."""
    checks = evaluate(result, load_thresholds(result.plan.shape))
    return [check.name for check in checks if not check.passed]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_good_run_meets_the_thresholds_of_its_shape(shape: str) -> None:
    assert missed(build_run(shape)) == []


def test_each_shape_has_a_threshold_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(SHAPES)


def test_only_the_slow_operation_is_named() -> None:
    result = build_run()
    set_latency(result, "POST /b", 210)
    assert missed(result) == ["steady: p50 of POST /b"]


def test_an_expensive_operation_has_a_higher_limit() -> None:
    result = build_run()
    for second in range(10, 320):
        for name in ("POST /inventory/add_product", "GET /c"):
            add_call(result, second, name, 200)
    assert missed(result) == ["steady: p50 of GET /c"]
    set_latency(result, "POST /inventory/add_product", 400)
    assert "steady: p50 of POST /inventory/add_product" in missed(result)


def test_a_slow_machine_misses_no_threshold() -> None:
    result = build_run()
    for name in ("GET /a", "POST /b"):
        set_latency(result, name, 210)
    assert missed(result) == []


def test_a_slow_tail_is_found_despite_a_fast_median() -> None:
    result = build_run()
    for second in range(20, 320):
        add_call(result, second, "GET /a", 5_000)
    assert missed(result) == ["steady: p99 of GET /a"]


def test_one_failed_call_misses_and_is_named() -> None:
    result = build_run()
    add_call(result, 30, "GET /a", 10, "500")
    assert missed(result) == ["failed calls", "failed: GET /a"]


def test_refusals_are_allowed_in_a_spike_but_not_in_a_steady_load() -> None:
    steady, spike = build_run("steady"), build_run("spike")
    for result in (steady, spike):
        add_call(result, 50, "GET /a", 10, REFUSED)
    assert missed(steady) == ["refused with Retry-After"]
    assert missed(spike) == []


def test_failures_in_a_spike_count_although_its_latencies_do_not() -> None:
    result = build_run("spike")
    for _ in range(500):
        add_call(result, 50, "GET /a", 9_000)
    assert missed(result) == []
    add_call(result, 50, "GET /a", 10, "503")
    assert "failed: GET /a" in missed(result)


def test_a_slow_recovery_after_a_spike_is_found() -> None:
    result = build_run("spike")
    for second in range(70, 90):
        add_call(result, second, "GET /a", 3_000)
    assert [name for name in missed(result) if name.startswith("until p99")]


def test_actions_that_never_started_count_as_failures() -> None:
    result = build_run()
    for _ in range(1_000):
        add_call(result, 50, "(the client)", 0, NOT_STARTED)
    assert "failed: (the client)" in missed(result)


def test_a_run_without_calls_misses() -> None:
    result = build_run()
    result.recording.cells.clear()
    assert "calls" in missed(result)


def test_half_of_the_calls_are_too_few() -> None:
    result = build_run()
    keys = [key for key in result.recording.cells if key[0] % 2 and key[0] > BEGAN + 20]
    for key in keys:
        del result.recording.cells[key]
    assert missed(result) == ["calls for each planned arrival"]


def test_an_unlisted_purchase_is_reported_with_its_client() -> None:
    wrong = Consistency(1, 5, 5, 4, ["client 7 bought 5, and 4 are listed"])
    assert missed(build_run(consistency=wrong)) == ["items listed for 1 clients", "inventory"]


def test_a_load_generator_without_headroom_is_found() -> None:
    assert missed(build_run(client_ceiling=100.0)) == ["client ceiling"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("failed = 0", "refused"),
        ("faild = 0", "faild"),
        ("failed =", "Invalid value"),
        ("[latency]\np42 = {floor = 1, times = 1}", "latency.p42"),
    ],
)
def test_an_invalid_threshold_file_is_rejected_with_the_reason(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "steady.toml").write_text(text)
    with pytest.raises(ThresholdError, match=message):
        load_thresholds("steady", tmp_path)
