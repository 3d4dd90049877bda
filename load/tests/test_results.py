"""Recordings, saved results, comparisons and reports."""

from pathlib import Path

import pytest

from load.harness import report
from load.harness.call_stats import Recording
from load.harness.comparison import compare
from load.harness.run_result import RunResult, RunResultError
from load.harness.thresholds import evaluate, load_thresholds
from tests.support.load.fake_runs import build_run, set_latency


def test_recordings_of_workers_add_up() -> None:
    total = Recording()
    for milliseconds in (10, 20, 30):
        worker = Recording()
        worker.record(5, "GET /a", milliseconds, "ok")
        total.add(Recording.from_json(worker.drain().to_json()))
        assert not worker.cells
    stats = total.sum(0, 10)
    assert stats.count == 3
    assert stats.percentile(0.5) == pytest.approx(20, rel=0.02)
    assert stats.percentile(1) == pytest.approx(30, rel=0.02)


def test_a_loaded_result_equals_the_saved_one(tmp_path: Path) -> None:
    result = build_run("smoke", bounds={3: (1, 2)})
    result.save(tmp_path / "run.json")
    assert RunResult.load(tmp_path / "run.json") == result


def test_loading_another_file_raises_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(RunResultError, match=r"run\.json"):
        RunResult.load(tmp_path / "run.json")


def test_a_comparison_finds_a_slower_operation_but_not_a_slower_machine() -> None:
    before, now = build_run(), build_run()
    set_latency(now, "POST /b", 100)
    verdicts = {row.name: row.verdict for row in compare(before, now)}
    assert "SLOWER" in verdicts["POST /b"]
    for name in ("GET /a", "POST /b"):
        set_latency(now, name, 40)
    assert not any("SLOWER" in row.verdict for row in compare(before, now))


def test_reports_name_the_model_and_the_missed_check(tmp_path: Path) -> None:
    result = build_run("smoke", client_ceiling=1.0)
    checks = evaluate(result, load_thresholds("smoke"))
    report.write(tmp_path, result, checks, compare(result, result))
    for name in ("summary.md", "report.html"):
        text = (tmp_path / name).read_text()
        assert "Open model" in text
        assert "MISS" in text
        assert "client ceiling" in text
    assert (tmp_path / "report.html").read_text().count("<svg") == 3
