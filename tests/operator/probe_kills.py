"""Kills probes at random moments, sweeps once, and counts what is left of them: it must be nothing.

It starts a system of its own in a temporary folder. The rows' hour is not waited for: SQL sets
their time to be over, as `expires_at` would be by then.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.data_folder import DataFolder
from synthetic.probe.catalog import journey_names, load_journey
from tests.support.ports import free_port
from tests.support.synthetic_rows import SyntheticRows

BIN = Path(sys.executable).parent
AT_ONCE = 3
LONGEST = 0.02  # seconds from a step to the kill: about as long as the next one takes
RELAYED = 30.0  # seconds in which the relays must have told the inventory


def main() -> int:
    """Kill, sweep, count; return 1 when anything is left."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.operator.probe_kills", description=__doc__
    )
    parser.add_argument("--runs", type=int, default=200, help="how many probes (200)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (0)")
    options = parser.parse_args()
    with system() as (url, folder):
        rows = SyntheticRows(folder)
        live = rows.count("live")
        killed = kill_probes(url, folder.monitor, options.runs, random.Random(options.seed))  # noqa: S311 - no secret
        before = rows.count("synthetic")
        rows.expire()
        rows.purge()
        left = wait_for_relays(rows)
        same = rows.count("live") == live
    print(
        f"{options.runs} probes: {killed[-9]} killed, {killed[0]} had passed, seed {options.seed}"
    )
    print(f"rows before the sweep: {before}")
    print(f"rows after the sweep:  {left}; live rows untouched: {same}")
    if not any(before.values()):
        sys.exit("probe-kills: nothing was left to sweep, so nothing was shown")
    return 0 if same and not any(left.values()) and killed[-9] + killed[0] == options.runs else 1


@contextmanager
def system() -> Iterator[tuple[str, DataFolder]]:
    """Run a whole system; yield its address and its data folder."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="cadastro-kills-") as name:
        Path(name).chmod(0o711)  # PostgreSQL's own account passes through
        data, log = Path(name) / "data", Path(name) / "log"
        command = ["-m", "devstack", "run", "--port", str(port), "--data", str(data)]
        with log.open("wb") as output:
            process = subprocess.Popen([sys.executable, *command], stderr=output, stdout=output)
        try:
            while "Cadastro is ready" not in log.read_text():
                if process.poll() is not None:
                    sys.exit(log.read_text())
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", DataFolder(data)
        finally:
            process.terminate()
            process.wait()


def kill_probes(url: str, credentials: Path, runs: int, dice: random.Random) -> Counter[int]:
    """Run probes of all journeys that write, kill each somewhere; return the exit codes."""
    steps = {name: len(load_journey(name).steps) for name in journey_names()}
    names = [name for name, count in steps.items() if count > 1]
    plans = [
        Plan(name, dice.randint(0, steps[name]), dice.uniform(0, LONGEST))
        for name in (dice.choice(names) for _ in range(runs))
    ]
    codes: Counter[int] = Counter()
    with ThreadPoolExecutor(AT_ONCE) as pool, tempfile.TemporaryDirectory() as folder:
        logs = (Path(folder) / str(number) for number in range(runs))
        for code in pool.map(lambda plan, log: probe(url, credentials, plan, log), plans, logs):
            codes[code] += 1
            if codes.total() % 20 == 0:
                print(f"probe-kills: {codes.total()} of {runs}", file=sys.stderr, flush=True)
    return codes


@dataclass(frozen=True)
class Plan:
    """When a probe is killed: some seconds after it has told of so many steps."""

    journey: str
    steps: int
    seconds: float


def probe(url: str, credentials: Path, plan: Plan, log: Path) -> int:
    """Run one probe and kill it as planned; return its exit code."""
    command = [str(BIN / "synthetic"), "probe", plan.journey, "--url", url]
    command += ["--credentials", str(credentials), "--termination-log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and steps_told(log) < plan.steps:
            time.sleep(0.001)
        time.sleep(plan.seconds)
        process.kill()
        return process.wait()


def steps_told(log: Path) -> int:
    """Return of how many steps a termination message tells; -1 before there is one."""
    try:
        return len(json.loads(log.read_text())["steps"])
    except (FileNotFoundError, ValueError):  # read while it was rewritten
        return -1


def wait_for_relays(rows: SyntheticRows) -> dict[str, int]:
    """Return what is left once nothing is, or once the relays have had their time."""
    deadline = time.monotonic() + RELAYED
    while any((left := rows.count("synthetic")).values()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


if __name__ == "__main__":
    sys.exit(main())
