"""The benchmark's own parts: what it sends, what it counts, and to what."""

import json
import platform
import sys
from pathlib import Path

import pytest
from validate_docbr import CPF

from benchmarks.__main__ import main
from benchmarks.drive.request_plan import OPERATIONS, plan
from benchmarks.measure import instruction_count, profile_layers
from benchmarks.measure.extra_measurements import in_turns
from benchmarks.testbed import client_data
from benchmarks.testbed.variants import OURS, VARIANTS

BENCH = Path(__file__).parents[1]


def test_people_have_cpfs_whose_digits_are_right_and_nobody_shares_one() -> None:
    cpfs = [client_data.cpf(number) for number in range(1, 2000)]
    assert all(CPF(repeated_digits=False).validate(cpf) for cpf in cpfs)
    assert len(set(cpfs)) == len(cpfs)
    assert json.loads(client_data.body(7))["cpf"] == client_data.cpf(7)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_says_how_long_its_body_is(operation: str) -> None:
    head, _, body = plan(operation, "token", 1000)().partition(b"\r\n\r\n")
    assert b"Authorization: Bearer token" in head
    length = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
    assert length == ([b"Content-Length: %d" % len(body)] if body else [])


def test_a_request_that_takes_more_instructions_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruction_count, "BASELINE", tmp_path / "instructions.json")
    instruction_count.keep({"fetch": 1000})
    assert instruction_count.judge({"fetch": 1049})[1]
    lines, well = instruction_count.judge({"fetch": 1051})
    assert not well
    assert "more than 5% more" in lines[0]


def test_growth_ends_with_1_and_is_only_told_where_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instruction_count, "BASELINE", tmp_path / "instructions.json")
    instruction_count.keep({"fetch": 1000})
    monkeypatch.setattr(instruction_count, "count", lambda _: {"fetch": 1051})
    for options, code in (([], 1), (["--tell"], 0)):
        monkeypatch.setattr(sys, "argv", ["bench", "instructions", *options])
        assert main() == code
        assert "+5.10% since the last landing  more than 5% more" in capsys.readouterr().out


def test_figures_for_another_python_are_not_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruction_count, "BASELINE", tmp_path / "instructions.json")
    instruction_count.keep({"fetch": 1000})
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    assert instruction_count.judge({"fetch": 9999})[1]


def test_who_is_measured_first_changes_with_each_round() -> None:
    turns = [name for name, _ in in_turns({"a": 1, "b": 2, "c": 3}, 4)]
    assert "".join(turns) == "abcbcacababc"


def test_a_sample_belongs_to_the_innermost_layer() -> None:
    stacks = "run (uvicorn/server.py:1);view (flask/app.py:2);execute (sqlalchemy/base.py:3) 4\n"
    assert profile_layers.by_layer(stacks + "run (uvicorn/server.py:1) 1\n") == {
        "SQLAlchemy": 4,
        "uvicorn: the loop and HTTP": 1,
    }


def test_every_peer_stands_beside_its_lock_file() -> None:
    for variant in VARIANTS:
        if variant.name != OURS:
            assert (BENCH / "peers" / variant.name / "requirements.lock").is_file()
