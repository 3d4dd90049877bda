"""Metrics of the monitors: durations, reasons and certificates, which a restart does not change."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.monitor_metrics import register
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio

PREFIX = "cadastro_synthetic_monitor_"
EXPIRY = "2026-03-01T00:00:00Z"


def samples(harness: OperatorHarness, name: str, label: str = "") -> dict[str, float]:
    """Return the values of a metric of the monitors by a label."""
    registry = CollectorRegistry()
    register(registry, harness.cache, lambda: harness.now)
    return {
        sample.labels.get(label, ""): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
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
    await finish(harness, passed(), failed)
    names = (
        *("run_duration_seconds_bucket", "run_duration_seconds_sum", "runs_total"),
        *("failures_total", "certificate_expiry_timestamp_seconds"),
    )
    before = [samples(harness, name, "le") for name in names]
    writes = len(harness.cluster.writes)
    harness.cache = MonitorCache()
    await harness.reconcile()
    assert [samples(harness, name, "le") for name in names] == before
    assert all(before)
    assert len(harness.cluster.writes) == writes


async def test_a_stored_histogram_with_other_buckets_starts_at_zero(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await finish(harness, passed())
    harness.change_status({**harness.status, "durations": {"counts": [1, 2], "sumMs": 9}})
    await harness.reconcile()
    assert samples(harness, "run_duration_seconds_count") == {"": 0}


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
