"""Requests, counts, profiles and variants of the benchmarks."""

import json
import platform
import sys
from pathlib import Path

import pytest
from validate_docbr import CPF

from benchmarks.__main__ import main
from benchmarks.drive.request_plan import OPERATIONS, request_factory
from benchmarks.measure import instruction_count, profile_layers
from benchmarks.measure.cadastro_only import rotate
from benchmarks.paths import PACKAGE
from benchmarks.testbed import client_data
from benchmarks.testbed.variants import OURS, VARIANTS


def test_clients_have_valid_and_distinct_cpfs() -> None:
    cpfs = [client_data.cpf(number) for number in range(1, 2000)]
    assert all(CPF(repeated_digits=False).validate(cpf) for cpf in cpfs)
    assert len(set(cpfs)) == len(cpfs)
    assert json.loads(client_data.body(7))["cpf"] == client_data.cpf(7)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_has_the_length_of_its_body(operation: str) -> None:
    head, _, body = request_factory(operation, "token", 1000)().partition(b"\r\n\r\n")
    assert b"Authorization: Bearer token" in head
    length = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
    assert length == ([b"Content-Length: %d" % len(body)] if body else [])


def test_growth_above_five_percent_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruction_count, "BASELINE", tmp_path / "instructions.json")
    instruction_count.save_baseline({"fetch": 1000})
    assert instruction_count.compare_with_baseline({"fetch": 1049})[1]
    lines, is_met = instruction_count.compare_with_baseline({"fetch": 1051})
    assert not is_met
    assert "more than 5% more" in lines[0]


def test_growth_exits_with_1_unless_tell_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instruction_count, "BASELINE", tmp_path / "instructions.json")
    instruction_count.save_baseline({"fetch": 1000})
    monkeypatch.setattr(instruction_count, "count", lambda _: {"fetch": 1051})
    for options, code in (([], 1), (["--tell"], 0)):
        monkeypatch.setattr(sys, "argv", ["bench", "instructions", *options])
        assert main() == code
        assert "+5.10% since the baseline  more than 5% more" in capsys.readouterr().out


def test_a_baseline_of_another_python_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruction_count, "BASELINE", tmp_path / "instructions.json")
    instruction_count.save_baseline({"fetch": 1000})
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    assert instruction_count.compare_with_baseline({"fetch": 9999})[1]


def test_each_round_begins_with_another_item() -> None:
    names = [name for name, _ in rotate({"a": 1, "b": 2, "c": 3}, 4)]
    assert "".join(names) == "abcbcacababc"


def test_a_sample_belongs_to_the_innermost_layer() -> None:
    stacks = "run (uvicorn/server.py:1);view (flask/app.py:2);execute (sqlalchemy/base.py:3) 4\n"
    assert profile_layers.by_layer(stacks + "run (uvicorn/server.py:1) 1\n") == {
        "SQLAlchemy": 4,
        "uvicorn: event loop and HTTP": 1,
    }


def test_every_peer_has_a_lock_file() -> None:
    for variant in VARIANTS:
        if variant.name != OURS:
            assert (PACKAGE / "peers" / variant.name / "requirements.lock").is_file()
