"""A small login storm: excess logins get 429 with Retry-After, and no process dies."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.login_storm.__main__ import Outcome
from tests.login_storm.latency_probe import Visited
from tests.login_storm.logins import BROKEN, Storm
from tests.support.local_system import running

ROOT = Path(__file__).parents[2]
CALM = Visited({"200": 100}, [float(ms) for ms in range(1, 101)])
GOOD = Outcome(CALM, CALM, Storm(Counter({200: 5, 429: 5})), [])


def storm(*options: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    command = [sys.executable, "-m", "tests.login_storm", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_storm_is_turned_away_and_leaves_others_alone(data_folder: Path) -> None:
    sizes = ("--logins", "60", "--seconds", "3", "--untimed")
    with running(data_folder) as system:
        done = storm("--url", system.url, "--data", data_folder, *sizes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "told to come back later" in done.stdout


def test_without_a_system_it_says_what_is_missing(tmp_path: Path) -> None:
    done = storm("--data", tmp_path)
    assert done.returncode == 1
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"during": Visited({"200": 100}, [4.0 * ms for ms in CALM.latencies])}, "4.00 times"),
        ({"during": Visited({"200": 99, "503": 1}, CALM.latencies)}, "503"),
        ({"logins": Storm(Counter({200: 5, 429: 5, BROKEN: 1}))}, "other answers"),
        ({"logins": Storm(Counter({200: 5, 429: 5, 500: 1}))}, "500"),
        ({"logins": Storm(Counter({429: 5}))}, "nobody was let in"),
        ({"logins": Storm(Counter({200: 5}))}, "no storm"),
        ({"logins": Storm(Counter({200: 5, 429: 5}), untold=2)}, "2 refusals"),
        ({"ended": [7]}, "processes ended: [7]"),
    ],
)
def test_what_is_not_as_it_must_be_is_told(changes: dict[str, Any], told: str) -> None:
    assert [*GOOD.faults(timed=True)] == []
    (fault,) = replace(GOOD, **changes).faults(timed=True)
    assert told in fault


def test_how_long_it_took_is_no_fault_on_a_busy_machine() -> None:
    slow = Visited({"200": 100}, [9.0 * ms for ms in CALM.latencies])
    assert [*replace(GOOD, during=slow).faults(timed=False)] == []
