"""CPU time and memory of one run of a health journey, by both runners in turn."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.runners.commands import ENVIRONMENT, SYNTHETIC
from tests.runners.mocks import MockServers
from tests.support.commands import ROOT
from tests.support.steps import StepFailed

JOURNEY = "products-health"
SOURCE = "products"
MAX_CPU_RATIO = 0.25
MAX_MEMORY_RATIO = 0.30


@dataclass(frozen=True)
class Usage:
    """What one process and its children used."""

    cpu: float  # seconds, user and system
    memory: float  # MiB, the peak of the largest process


def compare_starts(mocks: MockServers, redocly: Path, pairs: int) -> str:
    """Run a journey by both runners ``pairs`` times each, and return the medians as a table.

    Raises:
        StepFailed: the journey failed.

    """
    contract = ROOT / "openapi" / f"{SOURCE}.yaml"
    url = mocks.serve([contract])[contract]
    file = ROOT / "openapi" / "journeys" / f"{JOURNEY}.arazzo.yaml"
    server = f"--server={SOURCE}={url}"
    ours = [str(SYNTHETIC), "probe", str(file), server]
    theirs = [str(redocly), "respect", str(file), server]
    _measure(ours), _measure(theirs)  # the first runs read the files from the disk
    samples = [(_measure(ours), _measure(theirs)) for _ in range(pairs)]
    return "\n".join(
        [
            f"{JOURNEY}, {pairs} runs of each, in turn; medians",
            f"{'':14}{'synthetic':>11}{'respect':>11}{'ratio':>8}{'at most':>9}",
            _row("CPU, s", [(a.cpu, b.cpu) for a, b in samples], MAX_CPU_RATIO),
            _row("memory, MiB", [(a.memory, b.memory) for a, b in samples], MAX_MEMORY_RATIO),
        ]
    )


def _row(name: str, pairs: list[tuple[float, float]], most: float) -> str:
    ratio = median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (median(pair[side] for pair in pairs) for side in (0, 1))
    verdict = "met" if ratio <= most else "MISSED"
    return f"{name:14}{ours:>11.2f}{theirs:>11.2f}{ratio:>8.2f}{most:>9.2f}  {verdict}"


def _measure(command: list[str]) -> Usage:
    with subprocess.Popen(
        command,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise StepFailed(f"{' '.join(command)} ended with {process.returncode}")
    return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _environment() -> dict[str, str]:
    """Return the environment of a run; installed packages have byte code, as the images do."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **ENVIRONMENT}
