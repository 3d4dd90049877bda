"""The search for the capacity, and the bottlenecks that it names."""

import pytest

from load.harness.capacity import CapacityError, format_result, search
from load.harness.process_sampler import MACHINE, OTHERS
from load.harness.saturation import Step, bottlenecks
from load.harness.service_metrics import Utilisation
from load.harness.thresholds import Check


def search_limit(limit: float) -> list[float]:
    """Search on a system with this capacity; return the rates that were tried."""
    tried: list[float] = []

    def attempt(rate: float) -> Step:
        tried.append(rate)
        check = Check("p95", "slow", "fast", passed=False)
        return Step(rate, [check] if rate > limit else [])

    met, missed = search(attempt, 20, 500)
    assert missed is not None
    assert met.rate <= limit < missed.rate <= met.rate * 1.1
    return tried


@pytest.mark.parametrize("limit", [21, 150, 490, 900, 3_900])
def test_the_search_finds_the_limit_within_nine_steps(limit: float) -> None:
    assert len(search_limit(limit)) <= 9


def test_a_missed_lower_bound_ends_the_search_with_an_error() -> None:
    with pytest.raises(CapacityError, match="20 actions a second already miss"):
        search_limit(10)


def test_invalid_bounds_are_rejected_before_the_first_attempt() -> None:
    with pytest.raises(CapacityError, match="below HIGH"):
        search(lambda _: pytest.fail("it was tried"), 50, 50)


def test_a_search_without_a_limit_ends_and_reports_the_highest_rate() -> None:
    tried: list[float] = []

    def attempt(rate: float) -> Step:
        tried.append(rate)
        return Step(rate)

    met, missed = search(attempt, 20, 500)
    assert (met.rate, missed) == (tried[-1], None)
    assert tried == [20, 500, 1_000, 2_000, 4_000]
    assert "4000 actions a second meet" in format_result(met, missed)
    assert "higher HIGH" in format_result(met, missed)


def test_the_slowest_operations_are_reported() -> None:
    checks = [
        Check(f"p50 of {name}", "slow", "fast", passed=False, ratio=ratio)
        for name, ratio in (("DELETE /a", 1.1), ("GET /b", 7.0), ("POST /c", 3.0))
    ]
    text = format_result(Step(10), Step(20, checks))
    assert "20 do not: p50 of GET /b was slow, fast; p50 of POST /c" in text
    failed = Check("failed calls", "3 %", "0 %", passed=False)
    text = format_result(Step(10), Step(20, [*checks, failed]))
    assert "20 do not: failed calls was 3 %" in text


def test_the_bottleneck_is_named() -> None:
    assert "CPU of clients" in bottlenecks(Step(1, busy={"clients": 0.95, "database": 0.4}))[0]
    assert "hashing" in bottlenecks(Step(1, refused={"POST /users/login": 3}))[0]
    assert "pool" in bottlenecks(Step(1, busy={"clients": 0.1}, refused={"GET /a": 3}))[0]
    assert "CPU of the machine" in bottlenecks(Step(1, busy={"clients": 0.5, MACHINE: 0.97}))[0]
    shared = {"clients": 0.1, MACHINE: 0.97, OTHERS: 1.6}
    assert "others used 1.6 cores" in bottlenecks(Step(1, busy=shared))[0]
    assert "unknown" in bottlenecks(Step(1))[0]
    assert "METRICS=1" in bottlenecks(Step(1, busy={"clients": 0.1, "database": 1.7}))[0]


def test_a_full_pool_comes_first_only_while_processors_are_idle() -> None:
    waits = Utilisation(threads=4, threads_busy=4, waiting=9, connections=4, connections_in_use=1)
    full = Utilisation(threads=4, threads_busy=4, waiting=20, connections=4, connections_in_use=4)
    auth = Utilisation(lag=0.3)
    step = Step(1, services={"inventory": waits, "clients": full, "auth": auth})
    assert bottlenecks(step) == [
        "pool of clients: 4.0 of 4 connections in use, 20.0 requests waited",
        "threads of inventory: 4.0 of 4 busy, with connections to spare, 9.0 requests waited",
        "event loop of auth: 300 ms late",
    ]
    busy = Step(1, busy={"clients": 0.95}, services={"clients": full})
    assert [line.partition(":")[0] for line in bottlenecks(busy)] == [
        "CPU of clients",
        "pool of clients",
    ]
    hashing = Step(1, busy={"auth": 0.1}, services={"auth": Utilisation(hashes_waiting=11.5)})
    assert bottlenecks(hashing) == ["password hashing: 11.5 callers waited for it"]
