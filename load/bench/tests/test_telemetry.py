"""What it costs to be seen: by pairs, and by the processor's time where others use the core."""

import pytest

from bench.measure import Sample
from bench.progress import BenchError
from bench.telemetry import ALL, SILENT, Cost, compare, judged, line, settings, verdict


def sample(rate: float, cpu: float, busy: float = 0.95) -> Sample:
    """Return a measurement."""
    return Sample(rate=rate, cpu=cpu, p50=1, p99=2, server_busy=busy, load_busy=0.5)


def test_a_cost_is_the_median_over_pairs_of_one_round() -> None:
    quiet = [sample(1000, 200), sample(2000, 100), sample(500, 400)]
    seen = [sample(900, 220), sample(1900, 105), sample(450, 440)]
    cost = compare(quiet, seen)
    assert cost.rate == pytest.approx(0.10)
    assert cost.cpu == pytest.approx(0.10)
    assert cost.alone


def test_where_others_used_the_core_the_processors_time_decides() -> None:
    cost = compare([sample(1000, 200)], [sample(400, 250, busy=0.4)])
    assert not cost.alone
    assert verdict(cost) == pytest.approx(0.20)  # a quarter more for each request
    assert verdict(Cost(rate=0.05, cpu=0.25, alone=True)) == 0.05
    assert "others used the core" in line("fetch", ALL, cost)


def test_the_variants_differ_by_their_settings_alone() -> None:
    told = settings(4318, 9000)
    together = {**told["metrics"], **told["traces"], **told["logs"]}
    assert told[ALL] == together
    assert told[SILENT].items() <= told["metrics"].items()
    assert told[ALL]["OTEL_TRACES_SAMPLER_ARG"] == "0.01"


def test_nothing_is_settled_where_others_used_the_core() -> None:
    little, much = (Cost(rate=rate, cpu=rate, alone=True) for rate in (0.05, 0.12))
    assert judged([little]).startswith("well: all together cost 5.0%")
    with pytest.raises(BenchError, match=r"all together cost 12\.0%"):
        judged([little, much])
    disturbed = Cost(rate=-0.3, cpu=-0.2, alone=False)
    assert judged([little, disturbed]).startswith("NOT SETTLED")
