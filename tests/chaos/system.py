"""The system that is hurt: the processes of `make run`, started again when they end."""

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

from localstack.catalogue import SERVICES
from localstack.folder import DataFolder
from localstack.stack import Stack
from servicekit.testing import environment
from tests.chaos.caller import Caller, log_in, make_user
from tests.chaos.database_inspector import Records
from tests.chaos.history import BrokenError
from tests.chaos.mutant import Variant, installed
from tests.support.ports import free_port

WORKERS = 2  # of each service, so that one may die beside another
WATCH = 0.05  # seconds between two looks at the processes
SWEEP_WATCH = 0.2  # seconds between two looks at the rows
CALL = 3.0  # seconds; a relay has given a call up by then
PATIENCE = 60.0  # seconds until a system that does not recover is given up


class System:
    """One system, and one supervisor without threads."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        """Keep everything in ``folder``; nothing happens yet."""
        self.folder = folder
        self._data = DataFolder(folder / "data")
        self.stack = Stack(self._data, free_port(), "strict", say=say, pause=time.sleep)
        self.records = Records(self.stack.postgres.url)
        self.logs_matter = False
        self.held: set[str] = set()
        self.revived: Counter[str] = Counter()
        self.turned: list[str] = []  # signing keys that a trial has made, the oldest first
        self.user = ("", "")
        self.token = ""
        self.product_id = 0

    @property
    def logs(self) -> Path:
        """The folder of what its parts have written."""
        return self._data.logs

    def start(self) -> None:
        """Start it, with a user and a product."""
        self._data.open()
        self.stack.start()
        self.user = make_user(self.stack.url)
        self.log_in()
        product = {"name": f"Caos {secrets.token_hex(4)}", "description": "-", "quantity": 1}
        body = {**product, "price": 1.0, "status": True}
        self.product_id = self.make("/products/create", body)

    def log_in(self) -> None:
        """Get a new token: no run is to outlive its token."""
        self.wait_until(self._has_token)

    def stop(self) -> None:
        """Stop it."""
        self.stack.stop()
        self._data.close()

    def pause(self, seconds: float) -> None:
        """Wait, and start again what ends meanwhile."""
        self.wait_until(lambda: False, seconds)

    def wait_until(
        self, is_so: Callable[[], bool], patience: float = PATIENCE, watch: float = WATCH
    ) -> bool:
        """Wait, and start again what ends meanwhile; return whether it came to be so."""
        deadline = time.monotonic() + patience
        while not (came := is_so()) and time.monotonic() < deadline:
            time.sleep(watch)
            self.revived.update(self.stack.revive(self.held))
        return came

    def recover(self, began: float) -> float:
        """Wait until it is well again, and return the seconds since ``began``.

        Raises:
            BrokenError: it does not get well.

        """
        if not self.wait_until(self._is_well):
            message = f"not well again after {PATIENCE:.0f} s; the logs are in {self.logs}"
            raise BrokenError(message)
        return time.monotonic() - began

    def swept(self, began: float) -> float:
        """Wait until the orphans of this moment are gone, and return the seconds since ``began``.

        Raises:
            BrokenError: some are there for good, or for too long.

        """
        left = self.records.orphans()
        while left & self.records.orphans():
            if stranded := self._stranded():
                message = f"{len(stranded)} orphans were left, and nobody will come for them"
                raise BrokenError(message)
            if time.monotonic() - began > PATIENCE:
                message = f"{len(left)} orphans were left for {PATIENCE:.0f} s"
                raise BrokenError(message)
            self.pause(SWEEP_WATCH)
        return time.monotonic() - began

    def process(self, name: str) -> psutil.Process:
        """Return the process of a part."""
        process = self.stack.supervisor.child(name).process
        if process is None:
            message = f"{name} was never started"
            raise BrokenError(message)
        return psutil.Process(process.pid)

    def workers(self, name: str) -> list[psutil.Process]:
        """Return the workers of a service; none when it is down."""
        try:
            return self.process(name).children()
        except psutil.NoSuchProcess:
            return []

    def postgres(self) -> list[psutil.Process]:
        """Return the processes of the database, the first of them the one that starts the rest."""
        server = self.stack.postgres.process
        parent = psutil.Process(server.pid) if server else None
        return [parent, *parent.children()] if parent else []

    @contextmanager
    def down(self, name: str) -> Iterator[None]:
        """Kill a part, and keep it down for a while."""
        self.held.add(name)
        try:
            self.stack.supervisor.child(name).signal(signal.SIGKILL)
            self.wait_until(self.stack.supervisor.child(name).ended)
            yield
        finally:
            self.held.discard(name)

    def keys(self, *arguments: str) -> str:
        """Run auth's command for signing keys, and return what it prints."""
        command = [sys.executable, "-m", "auth.keys", *arguments, "--dir", str(self._data.keys)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def caller(self) -> Caller:
        """Return a caller with the user's token."""
        return Caller(self.stack.url, self.token)

    def make(self, path: str, body: dict[str, Any]) -> int:
        """Make something, and return its id."""
        caller = self.caller()
        answer = caller.ask("POST", path, body)
        caller.close()
        if not answer.is_success:
            message = f"POST {path} answered {answer.status}: {answer.document}"
            raise BrokenError(message)
        return int(answer.document["id"])

    def _stranded(self) -> set[int]:
        """Return the orphans that nobody will come for, not even with a call under way."""
        found = self.records.stranded()
        if found:
            self.pause(CALL)
            found &= self.records.stranded()
        return found

    def _has_token(self) -> bool:
        self.token = log_in(self.stack.url, self.user) or ""
        return bool(self.token)

    def _is_well(self) -> bool:
        """Tell whether every service is ready, behind the port too, with every worker there."""
        paths = [(base, "/-/ready") for base in self.stack.bases.values()]
        paths += [(self.stack.url, f"/{part}/health") for part in ("users", *SERVICES[1:])]
        if not all(_is_green(base, path) for base, path in paths):
            return False
        return all(len(self.workers(name)) == WORKERS for name in SERVICES)


@contextmanager
def running(
    say: Callable[[str], None], settings: Mapping[str, str], variant: Variant | None = None
) -> Iterator[System]:
    """Run a system, or a broken variant of it, in a folder of its own, and leave neither behind.

    The logs of one whose ``logs_matter`` are kept, and it is said where.
    """
    folder = Path(tempfile.mkdtemp(prefix="cadastro-chaos-"))
    folder.chmod(0o711)  # the database's own account passes through
    system = System(folder, say)
    try:
        with ExitStack() as stack:
            stack.enter_context(environment(WORKERS=str(WORKERS), **settings))
            if variant:
                stack.enter_context(installed(variant, folder / "variant"))
            system.start()
            yield system
    finally:
        system.stop()
        if system.logs_matter:
            logs = folder.with_name(f"{folder.name}-logs")
            shutil.copytree(system.logs, logs)
            say(f"the logs are kept in {logs}")
        shutil.rmtree(folder, ignore_errors=True)


def kill(processes: Collection[psutil.Process], number: int = signal.SIGKILL) -> None:
    """Send a signal to processes; those that are gone are gone."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _is_green(base: str, path: str) -> bool:
    caller = Caller(base, timeout=2)
    answer = caller.ask("GET", path)
    caller.close()
    return answer.is_success
