"""Backups and restores that are killed at random moments: each is complete, or as if never run."""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.backup import MANIFEST
from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from tests.redteam.first_start import STOP_TIMEOUT_SECONDS, LocalSystem
from tests.redteam.rows import Plan, Row
from tests.support.accounts import create_user, log_in, new_client, new_purchase
from tests.support.http_caller import HttpCaller
from tests.support.local_system import ISOLATED, ROOT
from tests.support.steps import StepFailed

EARLIEST_SECONDS = 0.3
TABLES = {
    "auth": "users",
    "clients": "clients",
    "inventory": "inventory_items",
    "products": "products",
}
_COUNT, _LIVE = "SELECT count(*) FROM", "WHERE realm = 'live'"
DATE = "2026-01-01T00:00:00"
PRODUCT = {"description": "-", "quantity": 1, "price": 1, "status": True}
NAMES = ("Caneta", "Livro")  # of the product before the backup, and of the one after it

State = dict[str, int]
"""The number of live rows of each service."""


@dataclass(frozen=True)
class History:
    """A stopped system that was backed up, and then changed in every service."""

    folder: Path
    data: Path
    backup: Path
    states: tuple[State, State]  # of the backup, and of the data folder


def backups(plan: Plan) -> Iterator[Row]:
    """Kill backups; each folder of a backup is complete, and the next backup leaves no draft."""
    with _history() as history:
        target = history.folder / "killed"
        command = ["devstack.backup", "--data", str(history.data), "--to", str(target)]
        for number, seconds in _moments(plan, command):
            _kill_after(command, seconds)
            done = run(command)
            left = list(target.iterdir())
            errors = [] if done.returncode == 0 else [done.stderr.strip()[-200:]]
            if not all((path / MANIFEST).exists() for path in left):
                errors.append("an incomplete backup is left")
            result = f"after {seconds:5.1f} s: {len(left)} complete"
            yield Row(f"backup killed {number}", result, "; ".join(errors))
            shutil.rmtree(target)


def restores(plan: Plan) -> Iterator[Row]:
    """Kill restores; the next start has all services of the backup, or none."""
    with _history() as history:
        copy = history.folder / "copy"
        command = ["devstack.restore", str(history.backup), "--data", str(copy)]
        copy_folder(history.data, copy)
        for number, seconds in _moments(plan, command):
            copy_folder(history.data, copy)
            _kill_after(command, seconds)
            yield _restart(history, copy, f"restore killed {number}", seconds)


def _restart(history: History, copy: Path, name: str, seconds: float) -> Row:
    system = LocalSystem(copy, history.folder / "second.txt")
    try:
        system.wait_until_ready()
        state, others = read_state(copy), _leftovers(copy)
    except StepFailed as error:
        return Row(name, f"after {seconds:5.1f} s", str(error))
    finally:
        system.stop()
    kind = ("restored", "as before")[history.states.index(state)] if state in history.states else ""
    errors = [] if kind else [f"mixed: {state}"]
    errors += [f"left: {', '.join(others)}"] if others else []
    return Row(name, f"after {seconds:5.1f} s: {kind}", "; ".join(errors))


@contextmanager
def _history() -> Iterator[History]:
    folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
    folder.chmod(0o711)  # PostgreSQL runs as another account
    data = folder / "data"
    system = LocalSystem(data, folder / "first.txt")
    try:
        try:
            system.wait_until_ready()
            _create_rows(system.url, NAMES[0])
            before = read_state(data)
            done = run(["devstack.backup", "--data", str(data), "--to", str(folder / "backups")])
            _create_rows(system.url, NAMES[1])
            after = read_state(data)
        finally:
            system.stop()
        yield History(folder, data, Path(done.stdout.strip()), (before, after))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _create_rows(url: str, product: str) -> None:
    """Create a row in each service."""
    with HttpCaller(url, log_in(url, create_user(url, "redteam")) or "") as caller:
        body = {"name": product, **PRODUCT}
        ids = [
            int(caller.request("POST", path, document).document["id"])
            for path, document in (
                ("/clients/create", new_client("Ana", "redteam")),
                ("/products/create", body),
            )
        ]
        caller.request("POST", "/inventory/add_product", new_purchase(ids[0], ids[1], DATE))


def read_state(data: Path) -> State:
    """Return the live rows of a running system."""
    server = server_of(data)
    return {
        name: int(str(server.execute(f"{_COUNT} {table} {_LIVE}", database=name)[0][0]))
        for name, table in TABLES.items()
    }


def _leftovers(data: Path) -> list[str]:
    """Return what a restore should have removed from a running system."""
    names = [str(row[0]) for row in server_of(data).execute("SELECT datname FROM pg_database")]
    found = [name for name in names if name.endswith(("_restored", "_before"))]
    marker = DataFolder(data).unreconciled
    return [*found, *([marker.name] if marker.exists() else [])]


def server_of(data: Path) -> Postgres:
    """Return the PostgreSQL server of a data folder."""
    folder = DataFolder(data)
    return Postgres(folder.postgres, folder.logs / "postgres.log")


def _moments(plan: Plan, command: list[str]) -> Iterator[tuple[int, float]]:
    """Yield the number of each round and a moment within the duration of an undisturbed run."""
    started = time.monotonic()
    run(command)
    duration = time.monotonic() - started
    times = random.Random(plan.seed)  # noqa: S311 - no secret
    for number in range(1, plan.rounds + 1):
        yield number, times.uniform(EARLIEST_SECONDS, duration)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder with its owners; replace the target."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)  # noqa: S607 - the system's


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a module of this repository with its options."""
    whole = [sys.executable, *ISOLATED, "-m", *command]
    return subprocess.run(whole, cwd=ROOT, capture_output=True, text=True, check=False)


def _kill_after(command: list[str], seconds: float) -> None:
    """Run a command, and kill it with all its processes after some seconds."""
    whole = [sys.executable, *ISOLATED, "-m", *command]
    pipe = subprocess.DEVNULL
    with subprocess.Popen(whole, cwd=ROOT, stdout=pipe, stderr=pipe) as running:
        with suppress(subprocess.TimeoutExpired):
            running.wait(seconds)
            return
        root = psutil.Process(running.pid)
        processes = [root, *root.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, STOP_TIMEOUT_SECONDS)
