"""What it costs to be seen: by pairs that run at the same time, and by the processor's time."""

import pytest

from benchmarks.measure.sample import Sample
from benchmarks.measure.telemetry_overhead import (
    ALL,
    SILENT,
    TWIN,
    Cost,
    compare,
    judged,
    line,
    settings,
)
from benchmarks.progress import BenchError


def sample(cpu: float, busy: float = 0.48) -> Sample:
    """Return a measurement."""
    return Sample(rate=500, cpu=cpu, p50=1, p99=2, server_busy=busy, load_busy=0.5)


def test_a_cost_is_the_median_over_starts() -> None:
    odd = [(sample(50), sample(100)), (sample(90), sample(100)), (sample(90), sample(100))]
    cost = compare([[(sample(190), sample(200))], odd, [(sample(80), sample(100))]])
    assert cost.throughput == pytest.approx(0.10)
    assert cost.half == pytest.approx((0.075, 0.15))
    assert cost.alone
    assert "others used the core" not in line("fetch", ALL, cost)


def test_a_core_that_the_two_did_not_use_up_was_not_theirs_alone() -> None:
    cost = compare([[(sample(190, busy=0.3), sample(200, busy=0.4))]] * 2)
    assert not cost.alone
    assert "others used the core" in line("fetch", ALL, cost)


def test_the_variants_differ_by_their_settings_alone() -> None:
    told = settings(4318, (9000, 9001))
    together = {**told["metrics"], **told["traces"], **told["logs"]}
    assert told[ALL] == {**together, "METRICS_BIND": "127.0.0.1:9001"}  # both run at once
    assert told[SILENT].items() <= told["metrics"].items()
    assert told[SILENT] == told[TWIN]
    assert told[ALL]["OTEL_TRACES_SAMPLER_ARG"] == "0.01"


def test_nothing_is_settled_where_others_used_the_core() -> None:
    little, much = (Cost(part, (0.0, 0.2), alone=True) for part in (0.05, 0.12))
    assert judged([little]).startswith("well: all together cost 5.0%")
    with pytest.raises(BenchError, match=r"all together cost 12\.0%"):
        judged([little, much])
    disturbed = Cost(-0.3, (-0.4, 0.1), alone=False)
    assert judged([little, disturbed]).startswith("NOT SETTLED")
