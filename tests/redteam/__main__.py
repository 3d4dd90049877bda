"""`make redteam`: end first starts by kills and power cuts, and check acknowledged writes."""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.redteam.first_start import LocalSystem, Trial, run_trial
from tests.redteam.power_cut import PowerCutError, new_disk
from tests.support.steps import Progress, StepFailed

AFTER_START_SECONDS = 6.0  # the latest end after the system is ready
EARLIEST_SECONDS = 0.3

HEADER = f"{'':8}{'attack':12}{'round':>6}{'after':>9}{'acknowledged':>14}{'lost':>6}"

report = Progress("redteam")


def kill(folder: Path, seconds: float) -> Trial:
    """Kill every process at once."""
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


ATTACKS: dict[str, Callable[[Path, float], Trial]] = {"kill": kill, "power cut": cut_power}


def main() -> int:
    """Run the attacks, print a row for each, and return 1 if a write or a start was lost."""
    options = _parser().parse_args()
    chosen = [name for name in ATTACKS if any(w in name for w in options.only.split(","))]
    latest = measure_start() + AFTER_START_SECONDS
    print(HEADER, flush=True)
    results = [run_attack(name, options.rounds, latest, options.seed) for name in chosen]
    return 0 if all(results) else 1


def measure_start() -> float:
    """Return the seconds of an undisturbed first start."""
    folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
    system = LocalSystem(folder / "data", folder / "output.txt")
    try:
        seconds = system.wait_until_ready()
    finally:
        system.stop()
        shutil.rmtree(folder)
    report(f"a first start takes {seconds:.1f} s")
    return seconds


def run_attack(name: str, rounds: int, latest: float, seed: int) -> bool:
    """Run the rounds of one attack, and return whether all starts and writes survived."""
    times = random.Random(seed)  # noqa: S311 - no secret
    trials = []
    for number in range(1, rounds + 1):
        folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
        try:
            trial = ATTACKS[name](folder, times.uniform(EARLIEST_SECONDS, latest))
        except (PowerCutError, StepFailed) as error:
            print(f"{'SKIPPED':8}{name}: it cannot run here: {error}", flush=True)
            return True
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        trials.append(trial)
        print(format_row(name, number, trial), flush=True)
    started = sum(not trial.error for trial in trials)
    writes, lost = sum(t.acknowledged for t in trials), sum(t.lost for t in trials)
    print(f"{name}: {started} of {rounds} start again, {lost} of {writes} acknowledged writes lost")
    return all(trial.holds for trial in trials)


def format_row(name: str, number: int, trial: Trial) -> str:
    """Return a row of the table."""
    counts = f"{trial.acknowledged:>14}{trial.lost:>6}"
    status = "ok" if trial.holds else "BROKEN"
    return f"{status:8}{name:12}{number:>6}{trial.seconds:>7.1f} s{counts}  {trial.error}".rstrip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make redteam",
        description=__doc__,
        epilog="Exit codes: 0 nothing was lost, 1 a write or a start was. Power cuts need root.",
    )
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each attack (20)")
    parser.add_argument("--only", default="", metavar="WORD,...", help="attacks: kill, power")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random moments (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
