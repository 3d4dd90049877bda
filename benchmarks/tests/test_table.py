"""The table: each target has a row, and its verdict follows from the samples."""

from dataclasses import replace

from benchmarks.measure.cadastro_only import MemoryUsage
from benchmarks.measure.cold_start import ColdStart
from benchmarks.measure.comparison import Comparison
from benchmarks.measure.paired_samples import PairedSamples
from benchmarks.measure.sample import Sample
from benchmarks.measure.workload import Workload
from benchmarks.report import table
from benchmarks.report.targets import PGBENCH
from benchmarks.testbed.variants import OURS, VARIANTS


def sample(rate: float, cpu: float, busy: float = 1.0) -> Sample:
    """Return a sample."""
    return Sample(rate=rate, cpu=cpu, p50=1, p99=2, server_busy=busy, load_busy=0.1)


def compared(*, peer: Sample, busy: float = 1.0) -> Comparison:
    """Return a comparison of fetches in which ours did 1,000 requests at 100 us."""
    ours = sample(1000, 100, busy)
    comparison = Comparison(Workload(("fetch",), 1, 1.0))
    for variant in VARIANTS:
        comparison.samples["fetch", variant.name].append(peer)
    comparison.samples["fetch", OURS] = [ours]
    comparison.samples["fetch", PGBENCH].append(sample(10_000, 0))
    comparison.tails["fetch"] = [ours]
    comparison.add_product = PairedSamples([sample(400, 300)], [ours])
    comparison.two_workers = PairedSamples([sample(1800, 105)], [ours], core_ratio=2)
    comparison.larger_rows, comparison.larger = (
        1_000_000,
        {"list": PairedSamples([sample(950, 105)], [ours])},
    )
    comparison.memory = MemoryUsage(worker=75, total=99, requests=100_000)
    comparison.cold_starts.append(ColdStart(from_exec=1.2, from_fork=0.9, cpu=1.1))
    return comparison


def row(comparison: Comparison, name: str, against: str) -> str:
    """Return one row of the table."""
    (found,) = [
        line for line in table.lines(comparison) if line.startswith(name) and against in line
    ]
    return found


def against_fastapi(*, peer: Sample, busy: float = 1.0) -> str:
    """Return the row with a target of 2."""
    return row(compared(peer=peer, busy=busy), "fetch", "FastAPI, sync")


def test_the_rates_meet_or_miss_a_target() -> None:
    assert against_fastapi(peer=sample(400, 1)).endswith("2.00  met")
    assert against_fastapi(peer=sample(1000, 1)).endswith("missed by 50%")


def test_cpu_times_decide_on_a_disturbed_core() -> None:
    found = against_fastapi(peer=sample(1000, 300), busy=0.4)
    assert found.endswith("met, by CPU: other processes used the core")


def test_pgbench_is_not_evaluated_on_a_disturbed_core() -> None:
    disturbed = compared(peer=sample(1000, 300), busy=0.4)
    assert row(disturbed, "fetch", "pgbench").endswith(
        "not evaluated: other processes used the core"
    )
    calm = compared(peer=sample(1000, 300))
    assert row(calm, "fetch", "pgbench").endswith("0.06  met")


def test_a_tail_is_evaluated_on_an_undisturbed_core_and_shows_refusals() -> None:
    wide = replace(sample(1000, 100), p99=4.5, refused=0.25)
    comparison = compared(peer=sample(400, 1))
    comparison.tails["fetch"] = [wide]
    assert row(comparison, "fetch p99", "32 connections").endswith("met")
    found = row(comparison, "fetch p99", "128 connections")
    assert found.endswith("missed by 50%; 25% refused")
    comparison.tails["fetch"] = [replace(wide, server_busy=0.4)]
    assert "not evaluated" in row(comparison, "fetch p99", "128 connections")


def test_every_extra_measurement_has_a_row() -> None:
    comparison = compared(peer=sample(400, 1))
    assert row(comparison, "add_product", "create").endswith("0.30  met")
    assert row(comparison, "two workers", "one worker").endswith("1.70  met")
    assert row(comparison, "list", "1,000,000").endswith("0.91  met")
    assert row(comparison, "memory", "a worker after 100,000 requests").endswith("met")
    assert row(comparison, "start", "from exec").endswith("missed by 20%")
    assert row(comparison, "start", "fork").endswith("met")


def test_two_workers_on_a_shared_core_are_evaluated_by_cpu_time() -> None:
    comparison = compared(peer=sample(400, 1))
    one = sample(1000, 100)
    comparison.two_workers = PairedSamples([sample(1300, 110, busy=0.7)], [one], core_ratio=2)
    assert "1.82" in row(comparison, "two workers", "one worker")
    assert "met, by CPU" in row(comparison, "two workers", "one worker")
    comparison.two_workers = PairedSamples([sample(1300, 125, busy=0.7)], [one], core_ratio=2)
    assert "missed by 6%, by CPU" in row(comparison, "two workers", "one worker")


def test_too_few_requests_or_rows_are_not_evaluated() -> None:
    comparison = compared(peer=sample(400, 1))
    comparison.memory, comparison.larger_rows = MemoryUsage(75, 99, 500), 20_000
    assert "not evaluated: 100,000 requests" in row(comparison, "memory", "a worker")
    assert "met" not in row(comparison, "list", "20,000")


def test_a_disturbed_start_is_not_evaluated() -> None:
    comparison = compared(peer=sample(400, 1))
    comparison.cold_starts = [ColdStart(from_exec=2.5, from_fork=2.0, cpu=0.9)]
    assert "not evaluated" in row(comparison, "start", "from exec")
