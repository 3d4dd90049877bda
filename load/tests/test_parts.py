"""Shapes, recordings, comparisons, reports and the search for capacity, each by itself."""

from pathlib import Path

import pytest
from validate_docbr import CPF

from load.harness import report
from load.harness.capacity import CapacityError, found, search
from load.harness.comparison import compare
from load.harness.process_sampler import MACHINE, OTHERS
from load.harness.recording import Recording
from load.harness.run_result import Outcome, OutcomeError
from load.harness.saturation import Step, saturated
from load.harness.service_metrics import Inside
from load.harness.thresholds import FOLDER, PERCENTILES, Row, judge, read
from load.shapes import SHAPES, plan
from load.users import fake_data
from load.users.dataset import World
from load.users.operations import OPERATIONS
from servicekit.openapi.specification import load_contract, operations
from tests.support.load.made_up_runs import made_up, slow_down

CONTRACTS = Path(__file__).parents[2] / "openapi"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_begins_quietly_and_ends(shape: str) -> None:
    planned = plan(shape)
    assert planned.phases[0].name == "quiet"
    assert planned.at(planned.seconds - 0.01) is not None
    assert planned.at(planned.seconds) is None


def test_a_spike_is_five_times_what_was_before() -> None:
    loads = {phase.name: phase.begin for phase in plan("spike", load=10).phases}
    assert loads["spike"] == 5 * loads["before"]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_judged_has_calls_enough_to_be_judged(shape: str) -> None:
    listed = 0.4 * 0.4  # of all actions: four of ten personas sell, and show what they sold
    for phase in plan(shape).phases[1:]:
        if phase.judged:
            calls = listed * phase.seconds * (phase.begin + phase.end) / 2
            assert calls > 2 * PERCENTILES["p50"][1], phase.name


def test_a_ramp_rises_evenly() -> None:
    planned = plan("ramp", load=105, seconds=100)
    seen = [now[1] for now in map(planned.at, (10, 60, 109.999)) if now]
    assert seen == pytest.approx([5, 55, 105], abs=0.1)


def test_every_operation_is_one_of_the_contracts() -> None:
    declared = {
        operation["operationId"]: (method.upper(), path, min(map(int, operation["responses"])))
        for contract in CONTRACTS.glob("*.yaml")
        for path, method, operation in operations(load_contract(contract))
    }
    for name, operation in OPERATIONS.items():
        method, path, status = declared[name]
        called = operation.at(7).replace("7", "{}")
        shape = "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
        assert (operation.method, called, operation.status) == (method, shape, status)


def test_a_cpf_is_valid() -> None:
    for number in (1, 7, 123_456_789, 999_999_998, 111_444_777, 529_982_247):
        assert CPF().validate(fake_data.cpf(number)), number


def test_what_workers_tell_adds_up() -> None:
    total = Recording()
    for took in (10, 20, 30):
        worker = Recording()
        worker.note(5, "GET /a", took, "ok")
        total.add(Recording.from_json(worker.drain().to_json()))
        assert not worker.cells
    cell = total.sum(0, 10)
    assert cell.count == 3
    assert cell.percentile(0.5) == pytest.approx(20, rel=0.02)
    assert cell.percentile(1) == pytest.approx(30, rel=0.02)


def test_a_call_whose_end_nobody_knows_leaves_both_possible() -> None:
    world = World("load-test", clients={1: {}})
    world.bought(1, 10, 5)
    world.maybe_bought(1, 3)
    assert world.drain() == {1: (5, 8)}
    purchase = world.take_purchase()
    assert purchase is not None
    world.maybe_taken_back(purchase)
    assert world.drain() == {1: (0, 8)}
    world.gone(1)
    assert world.drain() == {1: (0, 0)}


def test_a_client_in_use_is_not_taken_away() -> None:
    world = World("load-test", clients={1: {}})
    with world.client():
        assert world.take_client(keep=0) is None
    assert world.take_client(keep=0) == 1


def test_a_saved_run_is_read_as_it_was(tmp_path: Path) -> None:
    outcome = made_up("smoke", bounds={3: (1, 2)})
    outcome.save(tmp_path / "run.json")
    assert Outcome.load(tmp_path / "run.json") == outcome


def test_what_is_no_saved_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(OutcomeError, match=r"run\.json"):
        Outcome.load(tmp_path / "run.json")


def test_a_comparison_finds_what_became_slower_and_forgives_the_weather() -> None:
    before, now = made_up(), made_up()
    slow_down(now, "POST /b", 100)
    verdicts = {row.name: row.verdict for row in compare(before, now)}
    assert "SLOWER" in verdicts["POST /b"]
    for name in ("GET /a", "POST /b"):
        slow_down(now, name, 40)
    assert not any("SLOWER" in row.verdict for row in compare(before, now))


def test_the_reports_tell_the_model_and_the_row_that_missed(tmp_path: Path) -> None:
    outcome = made_up("smoke", cost=1.0)
    rows = judge(outcome, read(FOLDER / "smoke.toml"))
    report.write(tmp_path, outcome, rows, compare(outcome, outcome))
    for name in ("summary.md", "report.html"):
        text = (tmp_path / name).read_text()
        assert "Open model" in text
        assert "MISS" in text
        assert "what the client alone can do" in text
    assert (tmp_path / "report.html").read_text().count("<svg") == 3


def limited(limit: float) -> list[float]:
    """Search a system that bears so much; return the rates that were tried."""
    tried: list[float] = []

    def attempt(rate: float) -> Step:
        tried.append(rate)
        row = Row("p95", "slow", "fast", holds=False)
        return Step(rate, [row] if rate > limit else [])

    met, missed = search(attempt, 20, 500)
    assert missed is not None
    assert met.rate <= limit < missed.rate <= met.rate * 1.1
    return tried


@pytest.mark.parametrize("limit", [21, 150, 490, 900, 3_900])
def test_the_search_comes_close_to_the_limit_in_few_steps(limit: float) -> None:
    assert len(limited(limit)) <= 9


def test_a_search_whose_lower_bound_is_missed_says_so() -> None:
    with pytest.raises(CapacityError, match="20 actions a second miss already"):
        limited(10)


def test_bounds_that_are_none_are_told_before_anything_is_tried() -> None:
    with pytest.raises(CapacityError, match="below HIGH"):
        search(lambda _: pytest.fail("it was tried"), 50, 50)


def test_a_search_that_finds_no_limit_ends_and_says_how_far_it_went() -> None:
    tried: list[float] = []

    def attempt(rate: float) -> Step:
        tried.append(rate)
        return Step(rate)

    met, missed = search(attempt, 20, 500)
    assert (met.rate, missed) == (tried[-1], None)
    assert tried == [20, 500, 1_000, 2_000, 4_000]
    assert "4000 actions a second meet" in found(met, missed)
    assert "higher HIGH" in found(met, missed)


def test_of_what_was_too_slow_the_slowest_is_told() -> None:
    rows = [
        Row(f"p50 of {name}", "slow", "fast", holds=False, times=times)
        for name, times in (("DELETE /a", 1.1), ("GET /b", 7.0), ("POST /c", 3.0))
    ]
    lines = found(Step(10), Step(20, rows))
    assert "20 do not: p50 of GET /b was slow, fast; p50 of POST /c" in lines
    failed = Row("failed calls", "3 %", "0 %", holds=False)
    assert "20 do not: failed calls was 3 %" in found(Step(10), Step(20, [*rows, failed]))


def test_what_saturated_is_named() -> None:
    assert "CPU of clients" in saturated(Step(1, busy={"clients": 0.95, "database": 0.4}))[0]
    assert "hashing" in saturated(Step(1, refused={"POST /users/login": 3}))[0]
    assert "pool" in saturated(Step(1, busy={"clients": 0.1}, refused={"GET /a": 3}))[0]
    assert "CPU of the machine" in saturated(Step(1, busy={"clients": 0.5, MACHINE: 0.97}))[0]
    shared = {"clients": 0.1, MACHINE: 0.97, OTHERS: 1.6}
    assert "others used 1.6 cores" in saturated(Step(1, busy=shared))[0]
    assert "unknown" in saturated(Step(1))[0]
    assert "METRICS=1" in saturated(Step(1, busy={"clients": 0.1, "database": 1.7}))[0]


def test_a_queue_is_named_first_only_where_there_was_processor_to_spare() -> None:
    waits = Inside(threads=4, threads_busy=4, waiting=9, connections=4, connections_in_use=1)
    full = Inside(threads=4, threads_busy=4, waiting=20, connections=4, connections_in_use=4)
    seen = Step(1, insides={"inventory": waits, "clients": full, "auth": Inside(lag=0.3)})
    assert saturated(seen) == [
        "pool of clients: 4.0 of 4 connections in use, 20.0 requests waited",
        "threads of inventory: 4.0 of 4 busy, with connections to spare, 9.0 requests waited",
        "event loop of auth: 300 ms late",
    ]
    busy = Step(1, busy={"clients": 0.95}, insides={"clients": full})
    assert [line.partition(":")[0] for line in saturated(busy)] == [
        "CPU of clients",
        "pool of clients",
    ]
    hashing = Step(1, busy={"auth": 0.1}, insides={"auth": Inside(hashes_waiting=11.5)})
    assert saturated(hashing) == ["password hashing: 11.5 callers waited for it"]


def test_a_plan_that_ends_early_is_cut_there() -> None:
    cut = plan("ramp", load=105, seconds=100).until(60)
    assert cut.seconds == 60
    assert [phase.name for phase in cut.phases] == ["quiet", "ramp"]
    assert cut.phases[-1].end == pytest.approx(55)
