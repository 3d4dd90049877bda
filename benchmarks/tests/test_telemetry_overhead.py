"""Overhead of telemetry, from CPU times of pairs that run at the same time."""

import pytest

from benchmarks.measure.sample import Sample
from benchmarks.measure.telemetry_overhead import (
    ALL,
    CONTROL,
    OFF,
    Overhead,
    line,
    overhead,
    settings,
    verdict,
)
from benchmarks.progress import BenchmarkError


def sample(cpu: float, busy: float = 0.48) -> Sample:
    """Return a measurement."""
    return Sample(rate=500, cpu=cpu, p50=1, p99=2, server_busy=busy, load_busy=0.5)


def test_the_overhead_is_the_median_over_starts() -> None:
    odd = [(sample(50), sample(100)), (sample(90), sample(100)), (sample(90), sample(100))]
    found = overhead([[(sample(190), sample(200))], odd, [(sample(80), sample(100))]])
    assert found.throughput == pytest.approx(0.10)
    assert found.quartiles == pytest.approx((0.075, 0.15))
    assert found.is_undisturbed
    assert "other processes used the core" not in line("fetch", ALL, found)


def test_a_core_that_is_not_fully_used_was_disturbed() -> None:
    found = overhead([[(sample(190, busy=0.3), sample(200, busy=0.4))]] * 2)
    assert not found.is_undisturbed
    assert "other processes used the core" in line("fetch", ALL, found)


def test_variants_differ_only_in_their_settings() -> None:
    variants = settings(4318, (9000, 9001))
    together = {**variants["metrics"], **variants["traces"], **variants["logs"]}
    assert variants[ALL] == {**together, "METRICS_BIND": "127.0.0.1:9001"}
    assert variants[OFF].items() <= variants["metrics"].items()
    assert variants[OFF] == variants[CONTROL]
    assert variants[ALL]["OTEL_TRACES_SAMPLER_ARG"] == "0.01"


def test_there_is_no_verdict_on_a_disturbed_core() -> None:
    little, much = (Overhead(part, (0.0, 0.2), is_undisturbed=True) for part in (0.05, 0.12))
    assert verdict([little]).startswith("met: all together cost 5.0%")
    with pytest.raises(BenchmarkError, match=r"all together cost 12\.0%"):
        verdict([little, much])
    disturbed = Overhead(-0.3, (-0.4, 0.1), is_undisturbed=False)
    assert verdict([little, disturbed]).startswith("NO VERDICT")
