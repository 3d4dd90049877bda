"""Tests of the history check of `make chaos`, its reports and its mutants."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.__main__ import chosen
from tests.chaos.experiment import Row
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.history import Attempt, FinalState, HistoryLog, Outcome, check_history, read
from tests.chaos.mutant import Mutant, StaleMutant, mutants
from tests.chaos.soak import excess_connections, growth
from tests.support.http_caller import Response

ROOT = Path(__file__).parents[2]


def attempt(kind: str, element: str, status: int) -> Attempt:
    """Return an attempt with a response status; 0 for no response."""
    return Attempt.from_response(kind, element, Response(status))


def final(found: dict[tuple[str, str], int], sums: dict[str, int] | None = None) -> FinalState:
    """Return a final state."""
    return FinalState(Counter(found), sums or {})


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(201, Outcome.OK), (409, Outcome.FAILED), (0, Outcome.UNKNOWN), (503, Outcome.UNKNOWN)],
)
def test_classifies_an_attempt_by_its_response(status: int, outcome: Outcome) -> None:
    assert attempt("address", "a", status).outcome is outcome


def test_counts_an_acknowledged_write_that_is_missing_as_lost() -> None:
    attempts = [attempt("address", "a", 0), attempt("address", "a", 201)]
    assert check_history(attempts, final({})).lost == 1
    assert check_history(attempts, final({("address", "a"): 1})).holds


def test_counts_an_effect_that_is_present_twice_as_duplicated() -> None:
    attempts = [attempt("purchase", "a", 0), attempt("purchase", "a", 0)]
    assert check_history(attempts, final({("purchase", "a"): 2})).duplicated == 1
    assert check_history(attempts, final({("purchase", "a"): 1})).holds
    assert check_history(attempts, final({})).holds


def test_reports_a_refused_write_that_is_present() -> None:
    attempts = [attempt("address", "a", 409)]
    assert not check_history(attempts, final({("address", "a"): 1})).holds
    assert check_history(attempts, final({})).holds


def test_counts_a_deleted_client_that_is_present_as_a_lost_deletion() -> None:
    assert check_history([attempt("deletion", "7", 200)], final({})).lost == 1
    assert check_history([attempt("deletion", "7", 200)], final({("deletion", "7"): 1})).holds


def test_counts_two_accepted_updates_with_one_entity_tag_as_one_lost_update() -> None:
    attempts = [attempt("edit", "7:a", 200), attempt("edit", "7:b", 200)]
    assert check_history(attempts, final({("edit", "7:b"): 1})).lost == 1


@pytest.mark.parametrize(
    ("total", "lost", "duplicated"), [(1, 1, 0), (2, 0, 0), (3, 0, 0), (4, 0, 1)]
)
def test_bounds_a_counter_by_its_acknowledged_and_unknown_increments(
    total: int, lost: int, duplicated: int
) -> None:
    attempts = [attempt("increment", "1", status) for status in (200, 200, 412, 0)]
    verdict = check_history(attempts, final({}, {"1": total}))
    assert (verdict.lost, verdict.duplicated) == (lost, duplicated)


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_reports_an_unexpected_status(status: int) -> None:
    assert check_history([attempt("page", "-", status)], final({})).violations


def test_reports_orphans() -> None:
    assert not check_history([], FinalState(Counter(), {}, orphans=1)).holds


def test_reads_a_history_up_to_its_last_complete_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    log = HistoryLog(path)
    attempt = log.record("address", "a", Response(201, started=1.0, seconds=0.5))
    log.close()
    with path.open("a") as file:
        file.write('{"kind": "addr')
    assert list(read(path)) == [attempt]


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.name)
def test_every_mutant_applies_and_names_the_fault_that_catches_it(
    mutant: Mutant, tmp_path: Path
) -> None:
    mutant.install(tmp_path)
    changed = tmp_path / mutant.package / mutant.file
    compile(changed.read_text(), str(changed), "exec")
    assert mutant.caught_by in {fault.name for fault in FAULTS}


def test_reports_a_stale_mutant(tmp_path: Path) -> None:
    mutant = Mutant("old", "servicekit", "__init__.py", "-", "no such text", "")
    with pytest.raises(StaleMutant, match=r"old\.toml"):
        mutant.install(tmp_path)


def test_a_row_shows_counts_and_late_requests() -> None:
    pairs = Fault("add against delete", lambda *_: 0.0, counted=(500, "pairs"))
    assert str(Row(pairs, rounds=20)).endswith("10,000 pairs")
    slow = Row(Fault("hung", lambda *_: 0.0, request_limit=8), slowest=8.25, late=2)
    assert str(slow).endswith("slowest call 8.2 s, 2 took over 8 s")


def test_a_row_with_a_violation_is_not_ok() -> None:
    row = Row(FAULTS[0], verdict=check_history([attempt("page", "-", 500)], final({})))
    assert str(row).startswith("BROKEN")
    assert not row.is_caught  # only losses, duplicates and orphans catch a mutant


def test_soak_reports_growing_memory_and_excess_connections() -> None:
    flat, growing = [50.0] * 12, [*[50.0] * 6, *[53.0] * 6]
    violations = list(growth("memory", {"clients 1": flat, "auth 2": growing}, 0.05))
    assert violations == ["memory of auth 2 grew by 6.0%"]
    assert not list(excess_connections({"clients": [5.0, 8.0], "clients-relay": [2.0, 3.0]}))
    assert len(list(excess_connections({"clients": [8.0, 9.0], "clients-relay": [4.0]}))) == 2


@pytest.mark.parametrize(
    ("words", "names"),
    [("etag,auth", ["one ETag", "auth away"]), ("", [fault.name for fault in FAULTS])],
)
def test_selects_faults_by_words_of_their_names(words: str, names: list[str]) -> None:
    assert [fault.name for fault in chosen(words)] == names


@pytest.mark.parametrize("program", ["tests.chaos", "tests.chaos.soak"])
def test_commands_have_a_help_text(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", program, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "Exit codes" in done.stdout
