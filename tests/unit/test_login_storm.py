"""Tests of the login storm: a small run, and its violations."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.login_storm.__main__ import Outcome
from tests.login_storm.latency_probe import ProbeResult
from tests.login_storm.logins import NO_RESPONSE, LoginResult
from tests.support.local_system import running

ROOT = Path(__file__).parents[2]
FAST = ProbeResult({"200": 100}, [float(ms) for ms in range(1, 101)])
GOOD = Outcome(FAST, FAST, LoginResult(Counter({200: 5, 429: 5})), [])


def storm(*options: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    command = [sys.executable, "-m", "tests.login_storm", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_rejects_excess_logins_without_delaying_other_users(data_folder: Path) -> None:
    sizes = ("--logins", "60", "--seconds", "3", "--untimed")
    with running(data_folder) as system:
        done = storm("--url", system.url, "--data", data_folder, *sizes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rejected with 429" in done.stdout


def test_reports_a_missing_system(tmp_path: Path) -> None:
    done = storm("--data", tmp_path)
    assert done.returncode == 1
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"during": ProbeResult({"200": 100}, [4.0 * ms for ms in FAST.latencies])}, "4.00 times"),
        ({"during": ProbeResult({"200": 99, "503": 1}, FAST.latencies)}, "503"),
        ({"logins": LoginResult(Counter({200: 5, 429: 5, NO_RESPONSE: 1}))}, "unexpected statuses"),
        ({"logins": LoginResult(Counter({200: 5, 429: 5, 500: 1}))}, "500"),
        ({"logins": LoginResult(Counter({429: 5}))}, "no login succeeded"),
        ({"logins": LoginResult(Counter({200: 5}))}, "too small"),
        ({"logins": LoginResult(Counter({200: 5, 429: 5}), without_retry_after=2)}, "2 rejections"),
        ({"exited": [7]}, "processes exited: [7]"),
    ],
)
def test_reports_each_violation(changes: dict[str, Any], message: str) -> None:
    assert [*GOOD.violations(timed=True)] == []
    (violation,) = replace(GOOD, **changes).violations(timed=True)
    assert message in violation


def test_ignores_latencies_on_a_busy_machine() -> None:
    slow = ProbeResult({"200": 100}, [9.0 * ms for ms in FAST.latencies])
    assert [*replace(GOOD, during=slow).violations(timed=False)] == []
