"""Driver of the workloads, which run in separate processes."""

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.supervisor import die_with_parent
from tests.chaos.history import FinalState
from tests.chaos.system import SystemUnderTest
from tests.support.accounts import new_client
from tests.support.commands import ROOT
from tests.support.steps import StepFailed

WORKLOAD_TIMEOUT_SECONDS = 600.0


class LoadDriver:
    """Starts workloads that record their attempts in one history log."""

    def __init__(self, system: SystemUnderTest, history: Path) -> None:
        """Use ``system``; no workload is started."""
        self.history = history
        self._system = system
        self._counter_id = 0

    @contextmanager
    def load(self) -> Iterator[None]:
        """Run the steady load during the block, with a new counter."""
        self._system.log_in()
        self._counter_id = self._system.create("/clients/create", new_client("Caos", "chaos"))
        process = self._start("steady")
        try:
            yield
        finally:
            process.terminate()
            self._system.wait_until(lambda: process.poll() is not None)
            process.kill()
        if process.wait():
            raise StepFailed("a thread of the steady load crashed")

    def run(self, name: str, **config: object) -> None:
        """Run a workload to its end."""
        process = self._start(name, **config)
        try:
            self._system.wait_until(lambda: process.poll() is not None, WORKLOAD_TIMEOUT_SECONDS)
        finally:
            process.kill()
        if process.wait():
            raise StepFailed(f"the workload {name} ended with {process.returncode}")

    def final_state(self) -> FinalState:
        """Return the final state of the databases."""
        with self._system.caller() as caller:
            return self._system.database.final_state(caller, self._counter_id)

    def _start(self, name: str, **config: object) -> "subprocess.Popen[bytes]":
        system = self._system
        path = system.folder / f"{name}-{secrets.token_hex(4)}.json"
        defaults = {
            "url": system.stack.url,
            "token": system.token,
            "history": str(self.history),
            "product_id": system.product_id,
            "user": system.user,
            "service_urls": list(system.stack.bases.values()),
            "counter_id": self._counter_id,
        }
        path.write_text(json.dumps({**defaults, **config}))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.workload_runner", name, str(path)],
            cwd=ROOT,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here
        )
