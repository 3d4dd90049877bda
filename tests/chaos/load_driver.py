"""The callers of a system under trial, who are processes of their own."""

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localstack.catalogue import ROOT
from localstack.supervisor import die_with_parent
from tests.chaos.caller import a_client
from tests.chaos.history import BrokenError, Final
from tests.chaos.system import System

WORK_WITHIN = 600.0  # seconds


class Crowd:
    """Who calls a system, and writes every attempt into one book."""

    def __init__(self, system: System, book: Path) -> None:
        """Call ``system``; nobody calls yet."""
        self.book = book
        self._system = system
        self._counter_id = 0

    @contextmanager
    def load(self) -> Iterator[None]:
        """Run the steady load for a while, with a counter of its own."""
        self._system.log_in()
        self._counter_id = self._system.make("/clients/create", a_client())
        process = self._begin("steady")
        try:
            yield
        finally:
            process.terminate()
            self._system.wait_until(lambda: process.poll() is not None)
            process.kill()
        if process.wait():
            message = "a caller of the steady load crashed"
            raise BrokenError(message)

    def work(self, name: str, **task: object) -> None:
        """Run a workload to its end."""
        process = self._begin(name, **task)
        try:
            self._system.wait_until(lambda: process.poll() is not None, WORK_WITHIN)
        finally:
            process.kill()
        if process.wait():
            message = f"the workload {name} ended with {process.returncode}"
            raise BrokenError(message)

    def final(self) -> Final:
        """Read what is there in the end."""
        caller = self._system.caller()
        final = self._system.records.final(caller, self._counter_id)
        caller.close()
        return final

    def _begin(self, name: str, **task: object) -> "subprocess.Popen[bytes]":
        system = self._system
        path = system.folder / f"{name}-{secrets.token_hex(4)}.json"
        told = {
            "url": system.stack.url,
            "token": system.token,
            "book": str(self.book),
            "product_id": system.product_id,
            "user": system.user,
            "bases": list(system.stack.bases.values()),
            "counter_id": self._counter_id,
        }
        path.write_text(json.dumps({**told, **task}))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.workload_runner", name, str(path)],
            cwd=ROOT,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here
        )
