"""The system under test: the processes of `make run`, restarted when they exit."""

import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from devstack.data_folder import DataFolder
from devstack.service_catalog import SERVICES
from devstack.stack import Stack
from servicekit.testing import environment
from tests.chaos.database_inspector import DatabaseInspector
from tests.chaos.mutant import Mutant, installed
from tests.support.accounts import create_user, log_in
from tests.support.http_caller import HttpCaller
from tests.support.ports import free_port
from tests.support.steps import StepFailed

WORKERS = 2  # of each service, so that one survives the other
POLL_SECONDS = 0.05  # between two checks of the processes
ORPHAN_POLL_SECONDS = 0.2  # between two reads of the rows
DELIVERY_SECONDS = 3.0  # a relay has abandoned a delivery by then
TIMEOUT_SECONDS = 60.0  # for a recovery
READY_TIMEOUT_SECONDS = 2.0  # of one readiness check


class SystemUnderTest:
    """One local system, with a supervisor that uses no threads."""

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        """Keep all data in ``folder``; nothing is started."""
        self.folder = folder
        self._data = DataFolder(folder / "data")
        self.stack = Stack(self._data, free_port(), "strict", report=report, sleep=time.sleep)
        self.database = DatabaseInspector(self.stack.postgres.url)
        self.keep_logs = False
        self.stopped: set[str] = set()  # parts that are not restarted
        self.restarts: Counter[str] = Counter()
        self.rotated_keys: list[str] = []  # signing keys of the experiments, the oldest first
        self.user = ("", "")
        self.token = ""
        self.product_id = 0

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self._data.logs

    def start(self) -> None:
        """Start the system, and create a user and a product."""
        self._data.open()
        self.stack.start()
        self.user = create_user(self.stack.url, "chaos")
        self.log_in()
        product = {"name": f"Caos {secrets.token_hex(4)}", "description": "-", "quantity": 1}
        body = {**product, "price": 1.0, "status": True}
        self.product_id = self.create("/products/create", body)

    def log_in(self) -> None:
        """Get a new token, so that none expires during an experiment."""
        self.wait_until(self._has_token)

    def stop(self) -> None:
        """Stop the system."""
        self.stack.stop()
        self._data.close()

    def pause(self, seconds: float) -> None:
        """Wait, and restart parts that exit meanwhile."""
        self.wait_until(lambda: False, seconds)

    def wait_until(
        self,
        condition: Callable[[], bool],
        timeout: float = TIMEOUT_SECONDS,
        interval: float = POLL_SECONDS,
    ) -> bool:
        """Wait for a condition, and restart parts that exit meanwhile; return its last value."""
        deadline = time.monotonic() + timeout
        while not (holds := condition()) and time.monotonic() < deadline:
            time.sleep(interval)
            self.restarts.update(self.stack.restart_exited(self.stopped))
        return holds

    def wait_recovered(self, started: float) -> float:
        """Wait until every part is ready, and return the seconds since ``started``.

        Raises:
            StepFailed: the system does not recover.

        """
        if not self.wait_until(self._is_ready):
            raise StepFailed(
                f"not ready after {TIMEOUT_SECONDS:.0f} s; the logs are in {self.logs}"
            )
        return time.monotonic() - started

    def wait_converged(self, started: float) -> float:
        """Wait until the present orphans are removed, and return the seconds since ``started``.

        Raises:
            StepFailed: some are permanent, or stay for too long.

        """
        left = self.database.orphans()
        while left & self.database.orphans():
            if permanent := self._permanent_orphans():
                raise StepFailed(f"{len(permanent)} orphans were left without a message to remove")
            if time.monotonic() - started > TIMEOUT_SECONDS:
                raise StepFailed(f"{len(left)} orphans were left for {TIMEOUT_SECONDS:.0f} s")
            self.pause(ORPHAN_POLL_SECONDS)
        return time.monotonic() - started

    def process(self, name: str) -> psutil.Process:
        """Return the process of a part."""
        process = self.stack.supervisor.child(name).process
        if process is None:
            raise StepFailed(f"{name} was never started")
        return psutil.Process(process.pid)

    def workers(self, name: str) -> list[psutil.Process]:
        """Return the workers of a service; none while it is stopped."""
        try:
            return self.process(name).children()
        except psutil.NoSuchProcess:
            return []

    def postgres(self) -> list[psutil.Process]:
        """Return the processes of PostgreSQL, the postmaster first."""
        server = self.stack.postgres.process
        parent = psutil.Process(server.pid) if server else None
        return [parent, *parent.children()] if parent else []

    @contextmanager
    def outage(self, name: str) -> Iterator[None]:
        """Kill a part, and keep it stopped during the block."""
        self.stopped.add(name)
        try:
            self.stack.supervisor.child(name).signal(signal.SIGKILL)
            self.wait_until(self.stack.supervisor.child(name).has_exited)
            yield
        finally:
            self.stopped.discard(name)

    def manage_keys(self, *arguments: str) -> str:
        """Run auth's command for signing keys, and return its output."""
        command = [sys.executable, "-m", "auth.keys", *arguments, "--dir", str(self._data.keys)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def caller(self) -> HttpCaller:
        """Return a caller with the user's token."""
        return HttpCaller(self.stack.url, self.token)

    def create(self, path: str, body: dict[str, Any]) -> int:
        """Create an entity, and return its identifier."""
        with self.caller() as caller:
            response = caller.request("POST", path, body)
        if not response.is_success:
            raise StepFailed(f"POST {path} answered {response.status}: {response.document}")
        return int(response.document["id"])

    def _permanent_orphans(self) -> set[int]:
        """Return the permanent orphans, without those of a delivery in progress."""
        found = self.database.permanent_orphans()
        if found:
            self.pause(DELIVERY_SECONDS)
            found &= self.database.permanent_orphans()
        return found

    def _has_token(self) -> bool:
        self.token = log_in(self.stack.url, self.user) or ""
        return bool(self.token)

    def _is_ready(self) -> bool:
        """Return whether every service is ready, behind the ingress too, with all its workers."""
        paths = [(base, "/-/ready") for base in self.stack.bases.values()]
        paths += [(self.stack.url, f"/{part}/health") for part in ("users", *SERVICES[1:])]
        if not all(_is_success(base, path) for base, path in paths):
            return False
        return all(len(self.workers(name)) == WORKERS for name in SERVICES)


@contextmanager
def running(
    report: Callable[[str], None], settings: Mapping[str, str], mutant: Mutant | None = None
) -> Iterator[SystemUnderTest]:
    """Run a system, or a mutant of it, in a temporary folder.

    The logs are kept if ``keep_logs`` is set.
    """
    folder = Path(tempfile.mkdtemp(prefix="cadastro-chaos-"))
    folder.chmod(0o711)  # PostgreSQL runs as another account
    system = SystemUnderTest(folder, report)
    try:
        with ExitStack() as stack:
            stack.enter_context(environment(WORKERS=str(WORKERS), **settings))
            if mutant:
                stack.enter_context(installed(mutant, folder / "mutant"))
            system.start()
            yield system
    finally:
        system.stop()
        if system.keep_logs:
            logs = folder.with_name(f"{folder.name}-logs")
            shutil.copytree(system.logs, logs)
            report(f"the logs are kept in {logs}")
        shutil.rmtree(folder, ignore_errors=True)


def kill(processes: Collection[psutil.Process], number: int = signal.SIGKILL) -> None:
    """Send a signal to processes; those that have exited are skipped."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _is_success(base: str, path: str) -> bool:
    with HttpCaller(base, timeout=READY_TIMEOUT_SECONDS) as caller:
        return caller.request("GET", path).is_success
