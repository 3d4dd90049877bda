"""First starts that end by a kill or a power cut at a random moment."""

import functools
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.redteam.first_start import LocalSystem, Trial, run_trial
from tests.redteam.power_cut import PowerCutError, new_disk
from tests.redteam.rows import Plan, Row, SkippedPartError
from tests.support.steps import StepFailed

AFTER_START_SECONDS = 6.0  # the latest end after the system is ready
EARLIEST_SECONDS = 0.3


def kills(plan: Plan) -> Iterator[Row]:
    """Kill every process of a first start at once."""
    return _rounds("kill", plan, kill)


def power_cuts(plan: Plan) -> Iterator[Row]:
    """Cut the power of the disk of a first start."""
    return _rounds("power cut", plan, cut_power)


def kill(folder: Path, seconds: float) -> Trial:
    """Kill every process after some seconds."""
    return run_trial(folder / "data", folder, seconds, LocalSystem.kill)


def cut_power(folder: Path, seconds: float) -> Trial:
    """Cut the power of the disk, and kill the processes that survive it."""
    with new_disk(folder) as disk:

        def end(system: LocalSystem) -> None:
            disk.cut_power()
            system.kill()
            disk.unmount()
            disk.mount()

        return run_trial(disk.mount_point / "data", folder, seconds, end)


@functools.cache
def start_seconds() -> float:
    """Return the seconds of an undisturbed first start."""
    folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
    system = LocalSystem(folder / "data", folder / "output.txt")
    try:
        return system.wait_until_ready()
    finally:
        system.stop()
        shutil.rmtree(folder)


def _rounds(name: str, plan: Plan, attack: Callable[[Path, float], Trial]) -> Iterator[Row]:
    latest = start_seconds() + AFTER_START_SECONDS
    times = random.Random(plan.seed)  # noqa: S311 - no secret
    for number in range(1, plan.rounds + 1):
        folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
        try:
            trial = attack(folder, times.uniform(EARLIEST_SECONDS, latest))
        except (PowerCutError, StepFailed) as error:
            raise SkippedPartError(str(error)) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        yield _row(f"{name} {number}", trial)


def _row(name: str, trial: Trial) -> Row:
    result = f"after {trial.seconds:5.1f} s: {trial.lost} of {trial.acknowledged} writes lost"
    return Row(name, result, trial.error or ("writes are lost" if trial.lost else ""))
