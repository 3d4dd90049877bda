"""The benchmark's own parts: what it sends, what it counts, and that it refuses to be fooled."""

import json
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from validate_docbr import CPF

from bench import instructions, layers, people, table
from bench.coldstart import Start
from bench.compare import Comparison
from bench.extent import Extent
from bench.generator import Order
from bench.goals import PGBENCH
from bench.measure import Sample, follow
from bench.plans import OPERATIONS, plan
from bench.progress import BenchError
from bench.sameness import Signer, check
from bench.variants import OURS, VARIANTS
from localstack.stack import free_ports
from servicekit.testing import wait_until

BENCH = Path(__file__).parents[1]


@pytest.fixture
def responder() -> Iterator[int]:
    """The port of the server that does nothing but answer."""
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "bench.responder", str(port)]
    with subprocess.Popen(command, cwd=BENCH.parent) as process:
        try:
            wait_until(lambda: listens(port), "the responder to listen", patience=60)
            yield port
        finally:
            process.terminate()


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def order(port: int, operation: str = "fetch") -> Order:
    """Return a short order."""
    return Order(
        port=port,
        operation=operation,
        token="t",
        rows=10,
        connections=2,
        warmup=0,
        seconds=0.1,
    )


def sample(rate: float, cpu: float, busy: float = 1.0) -> Sample:
    """Return a sample of so many requests a second."""
    return Sample(rate=rate, cpu=cpu, p50=1, p99=2, server_busy=busy, load_busy=0.1)


def compared(*, peer: Sample, busy: float = 1.0) -> list[str]:
    """Return the table's rows for a fetch in which ours did 1,000 requests at 100 us."""
    comparison = Comparison(Extent(("fetch",), 1, 1.0))
    for variant in VARIANTS:
        comparison.samples["fetch", variant.name].append(peer)
    comparison.samples["fetch", OURS] = [sample(1000, 100, busy)]
    comparison.samples["fetch", PGBENCH].append(sample(10_000, 0))
    comparison.tails["fetch"] = [peer]
    comparison.starts.append(Start(from_exec=1.2, from_fork=0.9, cpu=1))
    return [line for line in table.lines(comparison) if line.startswith("fetch   FastAPI, sync")]


def test_people_have_cpfs_whose_digits_are_right_and_nobody_shares_one() -> None:
    cpfs = [people.cpf(number) for number in range(1, 2000)]
    assert all(CPF(repeated_digits=False).validate(cpf) for cpf in cpfs)
    assert len(set(cpfs)) == len(cpfs)
    assert json.loads(people.body(7))["cpf"] == people.cpf(7)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_says_how_long_its_body_is(operation: str) -> None:
    head, _, body = plan(operation, "token", 1000)().partition(b"\r\n\r\n")
    assert b"Authorization: Bearer token" in head
    length = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
    assert length == ([b"Content-Length: %d" % len(body)] if body else [])


def test_the_generator_counts_answers_by_their_status(responder: int) -> None:
    seen = follow(order(responder), 0)
    assert seen.statuses == {"200": seen.requests}
    assert seen.served >= seen.requests
    assert seen.lost == 0


def test_a_server_that_answers_all_alike_is_not_the_same(responder: int, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "auth.keys", "new", "--dir", str(tmp_path)], check=True)
    with pytest.raises(BenchError, match="no token"):
        check("responder", f"http://127.0.0.1:{responder}", "t", Signer(tmp_path))


def test_a_goal_is_met_or_missed_by_the_rates() -> None:
    assert compared(peer=sample(400, 1))[0].endswith("2.00  met")
    assert compared(peer=sample(1000, 1))[0].endswith("missed by 50%")


def test_on_a_core_that_others_use_the_processors_time_decides() -> None:
    row = compared(peer=sample(1000, 300), busy=0.4)[0]
    assert row.endswith("met, by CPU: others used the core")


def test_a_request_that_takes_more_instructions_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instructions, "BASELINE", tmp_path / "instructions.json")
    instructions.keep({"fetch": 1000})
    assert instructions.judge({"fetch": 1049})[1]
    lines, well = instructions.judge({"fetch": 1051})
    assert not well
    assert "more than 5% more" in lines[0]


def test_figures_for_another_python_are_not_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instructions, "BASELINE", tmp_path / "instructions.json")
    instructions.keep({"fetch": 1000})
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    assert instructions.judge({"fetch": 9999})[1]


def test_a_sample_belongs_to_the_innermost_layer() -> None:
    stacks = "run (uvicorn/server.py:1);view (flask/app.py:2);execute (sqlalchemy/base.py:3) 4\n"
    assert layers.by_layer(stacks + "run (uvicorn/server.py:1) 1\n") == {
        "SQLAlchemy": 4,
        "uvicorn: the loop and HTTP": 1,
    }


def test_every_peer_stands_beside_its_lock_file() -> None:
    for variant in VARIANTS:
        if variant.name != OURS:
            assert (BENCH / "peers" / variant.name / "requirements.lock").is_file()
