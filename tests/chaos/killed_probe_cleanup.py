"""Kill probes at random times; one purge must delete everything that they leave.

The system is temporary. An SQL statement expires the rows, in place of a wait of one hour.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devstack.data_folder import DataFolder
from synthetic.probe.catalog import journey_names, load_journey
from tests.support.local_system import running
from tests.support.steps import Progress
from tests.support.synthetic_rows import SyntheticRows

BIN = Path(sys.executable).parent
CONCURRENCY = 3
MAX_DELAY_SECONDS = 0.02  # from a step to the kill: about the duration of the next step
RELAY_TIMEOUT_SECONDS = 30.0  # until the relays have delivered all deletions
POLL_SECONDS = 0.2
KILLED, PASSED = -9, 0  # exit codes

report = Progress("probe-kills")


@dataclass(frozen=True)
class Plan:
    """The time of a kill: some seconds after a number of steps."""

    journey: str
    steps: int
    seconds: float


def main() -> int:
    """Kill the probes, purge, count the rows; return 1 when any are left."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.killed_probe_cleanup", description=__doc__
    )
    parser.add_argument("--runs", type=int, default=200, help="the number of probes (200)")
    parser.add_argument("--seed", type=int, default=0, help="of the random times (0)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cadastro-kills-") as name:
        Path(name).chmod(0o711)  # PostgreSQL runs as another account
        with running(Path(name) / "data") as system:
            return kill_and_purge(system.url, DataFolder(system.data), options)


def kill_and_purge(url: str, folder: DataFolder, options: argparse.Namespace) -> int:
    """Kill probes of a system, and return 0 if the purge deletes their rows and no others."""
    rows = SyntheticRows(folder)
    live = rows.count("live")
    rng = random.Random(options.seed)  # noqa: S311 - no secret
    codes = kill_probes(url, folder.monitor, options.runs, rng)
    before = rows.count("synthetic")
    rows.expire()
    rows.purge()
    left = wait_for_relays(rows)
    is_untouched = rows.count("live") == live
    counts = f"{codes[KILLED]} killed, {codes[PASSED]} had passed"
    print(f"{options.runs} probes: {counts}, seed {options.seed}")
    print(f"rows before the purge: {before}")
    print(f"rows after the purge:  {left}; live rows untouched: {is_untouched}")
    if not any(before.values()):
        sys.exit("probe-kills: no rows were left to purge, so the run proves nothing")
    is_complete = codes[KILLED] + codes[PASSED] == options.runs
    return 0 if is_untouched and not any(left.values()) and is_complete else 1


def kill_probes(url: str, credentials: Path, runs: int, rng: random.Random) -> Counter[int]:
    """Run probes of all journeys that write, kill each at a random time; return the exit codes."""
    steps = {name: len(load_journey(name).steps) for name in journey_names()}
    names = [name for name, count in steps.items() if count > 1]
    plans = [
        Plan(name, rng.randint(0, steps[name]), rng.uniform(0, MAX_DELAY_SECONDS))
        for name in (rng.choice(names) for _ in range(runs))
    ]
    codes: Counter[int] = Counter()
    with ThreadPoolExecutor(CONCURRENCY) as pool, tempfile.TemporaryDirectory() as folder:
        logs = (Path(folder) / str(number) for number in range(runs))
        for code in pool.map(lambda plan, log: probe(url, credentials, plan, log), plans, logs):
            codes[code] += 1
            if codes.total() % 20 == 0:
                report(f"{codes.total()} of {runs}")
    return codes


def probe(url: str, credentials: Path, plan: Plan, log: Path) -> int:
    """Run one probe, kill it as planned, and return its exit code."""
    command = [str(BIN / "synthetic"), "probe", plan.journey, "--url", url]
    command += ["--credentials", str(credentials), "--termination-log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and finished_steps(log) < plan.steps:
            time.sleep(0.001)
        time.sleep(plan.seconds)
        process.kill()
        return process.wait()


def finished_steps(log: Path) -> int:
    """Return the number of steps in a termination message; -1 before there is one."""
    try:
        return len(json.loads(log.read_text())["steps"])
    except (FileNotFoundError, ValueError):  # read during a write
        return -1


def wait_for_relays(rows: SyntheticRows) -> dict[str, int]:
    """Wait until no synthetic rows are left, and return the rows after a timeout."""
    deadline = time.monotonic() + RELAY_TIMEOUT_SECONDS
    while any((left := rows.count("synthetic")).values()) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return left


if __name__ == "__main__":
    sys.exit(main())
