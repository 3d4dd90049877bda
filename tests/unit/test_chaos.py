"""The judge of `make chaos`: it sees what is lost, doubled and refused; its variants still fit."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos import mutant
from tests.chaos.__main__ import chosen
from tests.chaos.caller import Answer
from tests.chaos.experiment import Row
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.history import Attempt, Book, Final, Outcome, judge, read
from tests.chaos.soak import grown, leaked

ROOT = Path(__file__).parents[2]


def attempt(kind: str, element: str, status: int) -> Attempt:
    """Return an attempt that was answered with a status; 0 for no answer."""
    return Attempt.of(kind, element, Answer(status, None, {}, 0, 0))


def final(found: dict[tuple[str, str], int], sums: dict[str, int] | None = None) -> Final:
    """Return what is there in the end."""
    return Final(Counter(found), sums or {})


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(201, Outcome.OK), (409, Outcome.FAILED), (0, Outcome.UNKNOWN), (503, Outcome.UNKNOWN)],
)
def test_an_answer_tells_how_an_attempt_went_and_none_tells_nothing(
    status: int, outcome: Outcome
) -> None:
    assert attempt("address", "a", status).outcome is outcome


def test_what_was_acknowledged_and_is_missing_is_lost() -> None:
    attempts = [attempt("address", "a", 0), attempt("address", "a", 201)]
    assert judge(attempts, final({})).lost == 1
    assert judge(attempts, final({("address", "a"): 1})).holds


def test_what_is_there_twice_is_doubled_whatever_was_answered() -> None:
    attempts = [attempt("purchase", "a", 0), attempt("purchase", "a", 0)]
    assert judge(attempts, final({("purchase", "a"): 2})).doubled == 1
    assert judge(attempts, final({("purchase", "a"): 1})).holds
    assert judge(attempts, final({})).holds


def test_what_was_refused_and_is_there_is_a_fault() -> None:
    attempts = [attempt("address", "a", 409)]
    assert not judge(attempts, final({("address", "a"): 1})).holds
    assert judge(attempts, final({})).holds


def test_a_client_who_was_deleted_and_is_there_is_a_lost_delete() -> None:
    assert judge([attempt("deletion", "7", 200)], final({})).lost == 1
    assert judge([attempt("deletion", "7", 200)], final({("deletion", "7"): 1})).holds


def test_two_writers_who_both_won_under_one_tag_are_one_lost_update() -> None:
    attempts = [attempt("edit", "7:a", 200), attempt("edit", "7:b", 200)]
    assert judge(attempts, final({("edit", "7:b"): 1})).lost == 1


@pytest.mark.parametrize(("total", "lost", "doubled"), [(1, 1, 0), (2, 0, 0), (3, 0, 0), (4, 0, 1)])
def test_a_counter_lies_between_what_is_sure_and_what_may_be(
    total: int, lost: int, doubled: int
) -> None:
    attempts = [attempt("increment", "1", status) for status in (200, 200, 412, 0)]
    verdict = judge(attempts, final({}, {"1": total}))
    assert (verdict.lost, verdict.doubled) == (lost, doubled)


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_an_answer_that_nobody_should_get_is_a_fault(status: int) -> None:
    assert judge([attempt("page", "-", status)], final({})).faults


def test_orphans_are_a_broken_promise() -> None:
    assert not judge([], Final(Counter(), {}, orphans=1)).holds


def test_a_book_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    book = Book(path)
    noted = book.note("address", "a", Answer(201, None, {}, 1.0, 0.5))
    book.close()
    with path.open("a") as file:
        file.write('{"kind": "addr')
    assert list(read(path)) == [noted]


@pytest.mark.parametrize("variant", mutant.variants(), ids=lambda variant: variant.name)
def test_every_broken_variant_fits_the_code_and_names_who_catches_it(
    variant: mutant.Variant, tmp_path: Path
) -> None:
    variant.install(tmp_path)
    changed = tmp_path / variant.package / variant.file
    compile(changed.read_text(), str(changed), "exec")
    assert variant.caught_by in {fault.name for fault in FAULTS}


def test_a_variant_that_no_longer_fits_says_so(tmp_path: Path) -> None:
    variant = mutant.Variant("old", "servicekit", "outbox.py", "-", "no such text", "")
    with pytest.raises(mutant.OutdatedError, match=r"old\.toml"):
        variant.install(tmp_path)


def test_a_row_tells_how_often_a_thing_was_done_and_what_was_late() -> None:
    pairs = Fault("add against delete", lambda *_: 0.0, counted=(500, "pairs"))
    assert str(Row(pairs, rounds=20)).endswith("10,000 pairs")
    slow = Row(Fault("hung", lambda *_: 0.0, answers_within=8), slowest=8.25, late=2)
    assert str(slow).endswith("slowest call 8.2 s, 2 took over 8 s")


def test_a_row_is_not_ok_when_anything_is_wrong() -> None:
    row = Row(FAULTS[0], verdict=judge([attempt("page", "-", 500)], final({})))
    assert str(row).startswith("BROKEN")
    assert not row.caught  # a variant is caught by what is lost, doubled or left


def test_memory_that_grows_and_connections_beyond_the_pools_are_told() -> None:
    flat, growing = [50.0] * 12, [*[50.0] * 6, *[53.0] * 6]
    faults = list(grown("memory", {"clients 1": flat, "auth 2": growing}, 0.05))
    assert faults == ["memory of auth 2 grew by 6.0%"]
    assert not list(leaked({"clients": [5.0, 8.0], "clients-relay": [2.0, 3.0]}))
    assert len(list(leaked({"clients": [8.0, 9.0], "clients-relay": [4.0]}))) == 2


@pytest.mark.parametrize(
    ("words", "names"),
    [("etag,auth", ["one ETag", "auth away"]), ("", [fault.name for fault in FAULTS])],
)
def test_faults_are_chosen_by_words_of_their_names(words: str, names: list[str]) -> None:
    assert [fault.name for fault in chosen(words)] == names


@pytest.mark.parametrize("program", ["tests.chaos", "tests.chaos.soak"])
def test_its_commands_say_what_they_take(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", program, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "Exit codes" in done.stdout
