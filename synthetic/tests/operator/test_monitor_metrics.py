"""Metrics of the monitors: durations, reasons and certificates, which a restart does not change."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.charts import promtool
from synthetic.operator.exposition import MONITORS_PER_PART
from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.status_schema import MAX_STEPS
from tests.support.synthetic.kubernetes_objects import monitor, termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio

PREFIX = "cadastro_synthetic_monitor_"
EXPIRY = "2026-03-01T00:00:00Z"


def samples(harness: OperatorHarness, name: str, label: str = "") -> dict[str, float]:
    """Return the values of a metric of the monitors by a label."""
    return {
        sample.labels.get(label, ""): sample.value
        for family in text_string_to_metric_families(harness.metrics())
        for sample in family.samples
        if sample.name == f"{PREFIX}{name}"
    }


async def finish(harness: OperatorHarness, *messages: dict[str, Any]) -> None:
    """End a run with each message."""
    first = len(harness.status.get("runs", []))
    for number, message in enumerate(messages, first):
        ended = "Complete" if message["result"] == "passed" else "Failed"
        harness.finish_run(f"job-{number}", message, ended=ended, minute=number)
        await harness.reconcile()


def passed(duration: int = 80, **more: Any) -> dict[str, Any]:
    """Return the message of a passed run."""
    return termination_message("passed", **{"durationMs": duration, **more})


async def test_the_histogram_has_passed_and_failed_runs(harness: OperatorHarness) -> None:
    harness.add_monitor()
    timeout = termination_message("failed", reason="timeout", durationMs=45_000)
    error = termination_message("error", reason="runner", durationMs=7)
    await finish(harness, passed(100), passed(101), passed(2600), timeout, error)
    assert samples(harness, "run_duration_seconds_bucket", "le") == {
        "0.1": 1,
        "0.5": 2,
        "1.0": 2,
        "2.5": 2,
        "5.0": 3,
        "10.0": 3,
        "30.0": 3,
        "+Inf": 4,
    }
    assert samples(harness, "run_duration_seconds_count") == {"": 4}
    assert samples(harness, "run_duration_seconds_sum") == {"": pytest.approx(47.801)}


async def test_failures_are_counted_by_reason(harness: OperatorHarness) -> None:
    harness.add_monitor()
    reasons = ("dns", "schema", "dns")
    await finish(harness, passed(), *(termination_message("failed", reason=r) for r in reasons))
    assert samples(harness, "failures_total", "reason") == {"dns": 2, "schema": 1}


async def test_a_restart_changes_no_counter_and_writes_nothing(harness: OperatorHarness) -> None:
    harness.add_monitor()
    failed = termination_message("failed", reason="dns", certificateExpiry=EXPIRY)
    await finish(harness, passed(steps=[["createClient", 12, 201, 1, 1, 1, 9]]), failed)
    names = (
        *("run_duration_seconds_bucket", "run_duration_seconds_sum", "runs_total"),
        *("step_duration_seconds_bucket", "phase_duration_seconds_sum"),
        *("failures_total", "certificate_expiry_timestamp_seconds"),
    )
    before = [samples(harness, name, "le") for name in names]
    writes = len(harness.cluster.writes)
    harness.cache = MonitorCache()
    await harness.reconcile()
    assert [samples(harness, name, "le") for name in names] == before
    assert all(before)
    assert len(harness.cluster.writes) == writes


@pytest.mark.parametrize("runs", ["1 2 9", "1", "", "a b", " ".join("1" * 10)])
async def test_a_stored_histogram_with_other_buckets_starts_at_zero(
    harness: OperatorHarness, runs: str
) -> None:
    harness.add_monitor()
    await finish(harness, passed())
    harness.change_status({**harness.status, "durations": {"runs": runs}})
    await harness.reconcile()
    assert samples(harness, "run_duration_seconds_count") == {"": 0}


async def test_steps_and_phases_of_passed_and_failed_runs_have_histograms(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    first = ["createClient", 12.5, 201, 0.4, 0.2, 0, 11.3]
    later = ["deleteClient", 300, 204, 0, 0, 0, 299.9]
    timeout = ["createClient", 30_000, 0, 0.6, 0, 0, 0]
    failed = termination_message("failed", reason="timeout", steps=[timeout])
    error = termination_message("error", reason="runner", steps=[first])
    await finish(harness, passed(steps=[first, later]), failed, error)
    assert samples(harness, "step_duration_seconds_count", "step") == {
        "createClient": 2,
        "deleteClient": 1,
    }
    sums = samples(harness, "step_duration_seconds_sum", "step")
    assert sums == {"createClient": 30.0125, "deleteClient": 0.3}
    assert samples(harness, "phase_duration_seconds_count", "phase") == {
        "dns": 2,
        "connect": 1,
        "first_byte": 2,
    }
    sums = samples(harness, "phase_duration_seconds_sum", "phase")
    assert sums == {"dns": 0.001, "connect": 0.0002, "first_byte": 0.3112}
    buckets = samples(harness, "step_duration_seconds_bucket", "le")  # of the last step alone
    assert buckets == dict.fromkeys(("0.5", "1.0", "5.0", "+Inf"), 1) | dict.fromkeys(
        ("0.005", "0.025", "0.1", "0.25"), 0
    )
    assert promtool.check_metrics(harness.metrics()) == ""


async def test_a_long_journey_keeps_its_histograms_when_a_message_lacks_its_first_steps(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    steps = [[f"step{n}", 1, 200, 0, 0, 0, 1] for n in range(MAX_STEPS + 4)]
    late = termination_message("failed", reason="http_status", steps=steps[-10:])
    early = termination_message("failed", reason="http_status", steps=[*steps[:3], steps[-1]])
    await finish(harness, passed(steps=steps), late, early)
    await finish(harness, passed(steps=[*steps[-2:], *steps]))  # the second attempt
    counts = samples(harness, "step_duration_seconds_count", "step")
    assert set(counts) == {f"step{n}" for n in range(MAX_STEPS)}
    assert (counts["step0"], counts["step5"], counts["step14"]) == (3, 2, 3)


async def test_steps_of_called_workflows_have_histograms_and_are_named(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    steps = [["call/b", 20, 201, 0.4, 0.2, 0, 11], ["call", 21, 201, 0, 0, 0, 0]]
    failed = termination_message("failed", step="x/y/c", reason="http_status", steps=steps)
    await finish(harness, passed(steps=steps), failed)
    counts = samples(harness, "step_duration_seconds_count", "step")
    assert counts == {"call/b": 2, "call": 2}
    counts = samples(harness, "phase_duration_seconds_count", "phase")
    assert counts == {"dns": 2, "connect": 2, "first_byte": 2}
    assert harness.status["lastRun"]["step"] == "x/y/c"


async def test_a_long_journey_has_histograms_of_its_first_steps(harness: OperatorHarness) -> None:
    harness.add_monitor()
    old = [[f"old{n}", 1, 200, 0, 0, 0, 1] for n in range(3)]
    new = [[f"new{n}", 1, 200, 0, 0, 0, 1] for n in range(MAX_STEPS + 5)]
    await finish(harness, passed(steps=old), passed(steps=new[:-6]), passed(steps=new[:-6]))
    counts = samples(harness, "step_duration_seconds_count", "step")
    assert counts == {f"new{n}": 2 for n in range(MAX_STEPS - 1)} | {"old0": 1}
    await finish(harness, passed(steps=new), passed(steps=new))
    counts = samples(harness, "step_duration_seconds_count", "step")
    assert counts == {f"new{n}": 4 for n in range(MAX_STEPS - 1)} | {f"new{MAX_STEPS - 1}": 2}


@pytest.mark.parametrize(
    "steps",
    [
        *(None, "", 1, {}, [None], [[]], ["a" * 7], [[*"abcdefg"]], [{"a": 1}]),
        *([["a\nb", 1, 200, 0, 0, 0, 1]], [["a b", 1, 200, 0, 0, 0, 1]]),
        *([["", 1, 200, 0, 0, 0, 1]], [["s" * 65, 1, 200, 0, 0, 0, 1]], [["a", 1, 200]]),
        [["a", 1, 200, 0, 0, 0, 1, 1]],
    ],
    ids=repr,
)
async def test_steps_that_no_probe_writes_are_ignored(
    harness: OperatorHarness, steps: object
) -> None:
    harness.add_monitor()
    await finish(harness, passed(steps=steps))
    assert samples(harness, "run_duration_seconds_count") == {"": 1}
    if steps == [[*"abcdefg"]]:
        assert samples(harness, "step_duration_seconds_sum", "step") == {"a": 0}
    else:
        assert samples(harness, "step_duration_seconds_count", "step") == {}


@pytest.mark.parametrize("duration", [-1, None, True, "1", 10**400, 2**70, 1e300, [1]], ids=repr)
async def test_a_duration_that_no_probe_writes_is_zero(
    harness: OperatorHarness, duration: object
) -> None:
    harness.add_monitor()
    await finish(harness, passed(steps=[["a", duration, 200, duration, 0, 0, 0]]))
    assert samples(harness, "run_duration_seconds_count") == {"": 1}
    assert samples(harness, "step_duration_seconds_sum", "step") in ({"a": 0}, {})


async def test_metrics_of_many_monitors_have_each_header_once(harness: OperatorHarness) -> None:
    for number in range(2 * MONITORS_PER_PART + 1):
        stored = monitor(f"m{number}", status={"totals": {"passed": 1}})
        harness.cache.upsert(stored)
    text = harness.metrics()
    assert promtool.check_metrics(text) == ""
    assert text.count('result="passed"') == 2 * MONITORS_PER_PART + 1


async def test_the_certificate_is_that_of_the_last_run_with_a_handshake(
    harness: OperatorHarness,
) -> None:
    name = "certificate_expiry_timestamp_seconds"
    harness.add_monitor()
    await finish(harness, passed())
    assert samples(harness, name) == {}
    await finish(harness, passed(certificateExpiry=EXPIRY))
    assert harness.status["certificateExpiry"] == EXPIRY
    await finish(harness, termination_message("failed", reason="tls"))  # such as an expired one
    assert samples(harness, name) == {"": 1772323200}
    harness.update_spec(suspend=True)
    await harness.reconcile()
    assert samples(harness, name) == {}  # no run would notice a renewal
    harness.update_spec(suspend=False)
    await finish(harness, passed())  # without TLS
    assert samples(harness, name) == {}
    assert "certificateExpiry" not in harness.status


@pytest.mark.parametrize(
    "expiry",
    [1, [], "", "soon", "2026-02-31T00:00:00Z", "2026-03-01", "2026-03-01T00:00:00+00:00"],
    ids=["number", "list", "empty", "text", "no-day", "date", "offset"],
)
async def test_an_expiry_that_no_probe_writes_is_ignored(
    harness: OperatorHarness, expiry: object
) -> None:
    harness.add_monitor()
    await finish(harness, passed(certificateExpiry=expiry))
    assert "certificateExpiry" not in harness.status
