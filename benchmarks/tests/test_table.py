"""The table: each goal has its row, and what it says follows from what was measured."""

from dataclasses import replace

from benchmarks.measure.cold_start import Start
from benchmarks.measure.comparison import Comparison
from benchmarks.measure.extra_measurements import ONE, ROAMING, Memory
from benchmarks.measure.pairs import Pairs
from benchmarks.measure.sample import Sample
from benchmarks.measure.workload import Extent
from benchmarks.report import table
from benchmarks.report.targets import PGBENCH
from benchmarks.testbed.variants import OURS, VARIANTS


def sample(rate: float, cpu: float, busy: float = 1.0) -> Sample:
    """Return a sample of so many requests a second."""
    return Sample(rate=rate, cpu=cpu, p50=1, p99=2, server_busy=busy, load_busy=0.1)


def compared(*, peer: Sample, busy: float = 1.0) -> Comparison:
    """Return a comparison of fetches in which ours did 1,000 requests at 100 us."""
    ours = sample(1000, 100, busy)
    comparison = Comparison(Extent(("fetch",), 1, 1.0))
    for variant in VARIANTS:
        comparison.samples["fetch", variant.name].append(peer)
    comparison.samples["fetch", OURS] = [ours]
    comparison.samples["fetch", PGBENCH].append(sample(10_000, 0))
    comparison.tails["fetch"] = [ours]
    comparison.add = Pairs([sample(400, 300)], [ours])
    comparison.workers = {
        ONE: Pairs([sample(1800, 105)], [ours], cores=2),
        ROAMING: Pairs([ours], [ours]),
    }
    comparison.rows, comparison.larger = 1_000_000, {"list": Pairs([sample(950, 105)], [ours])}
    comparison.memory = Memory(worker=75, whole=99, requests=100_000)
    comparison.starts.append(Start(from_exec=1.2, from_fork=0.9, cpu=1.1))
    return comparison


def row(comparison: Comparison, what: str, beside: str) -> str:
    """Return one row of the table."""
    (found,) = [
        line for line in table.lines(comparison) if line.startswith(what) and beside in line
    ]
    return found


def beside_fastapi(*, peer: Sample, busy: float = 1.0) -> str:
    """Return the row whose goal is 2."""
    return row(compared(peer=peer, busy=busy), "fetch", "FastAPI, sync")


def test_a_goal_is_met_or_missed_by_the_rates() -> None:
    assert beside_fastapi(peer=sample(400, 1)).endswith("2.00  met")
    assert beside_fastapi(peer=sample(1000, 1)).endswith("missed by 50%")


def test_on_a_core_that_others_use_the_processors_time_decides() -> None:
    found = beside_fastapi(peer=sample(1000, 300), busy=0.4)
    assert found.endswith("met, by CPU: others used the core")


def test_pgbench_has_no_processor_time_to_go_by() -> None:
    disturbed = compared(peer=sample(1000, 300), busy=0.4)
    assert row(disturbed, "fetch", "pgbench").endswith("not judged: others used the core")
    calm = compared(peer=sample(1000, 300))
    assert row(calm, "fetch", "pgbench").endswith("0.06  met")


def test_a_tail_is_judged_on_a_core_of_ours_and_says_who_was_turned_away() -> None:
    wide = replace(sample(1000, 100), p99=4.5, refused=0.25)
    comparison = compared(peer=sample(400, 1))
    comparison.tails["fetch"] = [wide]
    assert row(comparison, "fetch p99", "32 connections").endswith("met")
    found = row(comparison, "fetch p99", "128 connections")
    assert found.endswith("missed by 50%; 25% turned away")
    comparison.tails["fetch"] = [replace(wide, server_busy=0.4)]
    assert "not judged" in row(comparison, "fetch p99", "128 connections")


def test_what_is_measured_of_ours_alone_has_its_rows() -> None:
    comparison = compared(peer=sample(400, 1))
    assert row(comparison, "add_product", "create").endswith("0.30  met")
    assert row(comparison, "two workers", "one worker").endswith("1.70  met")
    assert row(comparison, "list", "1,000,000").endswith("0.91  met")
    assert row(comparison, "memory", "a worker after 100,000 requests").endswith("met")
    assert row(comparison, "start", "from exec").endswith("missed by 20%")
    assert row(comparison, "start", "fork").endswith("met")


def test_two_workers_that_share_a_core_with_the_load_are_judged_by_their_time() -> None:
    comparison = compared(peer=sample(400, 1))
    one = sample(1000, 100)
    comparison.workers[ONE] = Pairs([sample(1300, 110, busy=0.7)], [one], cores=2)
    assert "1.82" in row(comparison, "two workers", "one worker")
    assert "met, by CPU" in row(comparison, "two workers", "one worker")
    comparison.workers[ONE] = Pairs([sample(1300, 125, busy=0.7)], [one], cores=2)
    assert "missed by 6%, by CPU" in row(comparison, "two workers", "one worker")


def test_fewer_requests_or_rows_than_are_wanted_judge_nothing() -> None:
    comparison = compared(peer=sample(400, 1))
    comparison.memory, comparison.rows = Memory(75, 99, 500), 20_000
    assert "not judged: 100,000 requests" in row(comparison, "memory", "a worker")
    assert "met" not in row(comparison, "list", "20,000")


def test_a_start_that_others_slowed_down_is_not_judged() -> None:
    comparison = compared(peer=sample(400, 1))
    comparison.starts = [Start(from_exec=2.5, from_fork=2.0, cpu=0.9)]
    assert "not judged" in row(comparison, "start", "from exec")
