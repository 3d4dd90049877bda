"""Supervision of child processes, which exit together with their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from devstack.log_file import open_log

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LOG_TAIL_LINES = 5


class ProcessExitedError(Exception):
    """A child process exited unexpectedly; the message has its name and the end of its log."""


class Process(Protocol):
    """The methods of ``subprocess.Popen`` that the supervisor uses."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the process runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait up to ``timeout`` seconds for the end, and return the exit code."""


Launch = Callable[[Sequence[str], Path, Mapping[str, str]], Process]
"""Starts a command in a new session, with an environment; its output is appended to a log."""


def launch_program(command: Sequence[str], log: Path, environ: Mapping[str, str]) -> Process:
    """Start any program."""
    with open_log(log) as output:
        return subprocess.Popen(  # noqa: S603 - our own commands
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here yet
        )


@dataclass
class ChildProcess:
    """One process of the system."""

    name: str
    command: Sequence[str]
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    launch: Launch = launch_program
    process: Process | None = None

    def start(self) -> None:
        """Start the process in a new session, which does not receive the terminal's Ctrl-C."""
        self.process = self.launch(self.command, self.log, {**os.environ, **self.environ})

    def has_exited(self) -> bool:
        """Return whether the process was started and has exited."""
        return self.process is not None and self.process.poll() is not None

    def exit_code(self) -> int:
        """Return the exit code, negative for a signal; 0 while the process runs."""
        return (self.process and self.process.poll()) or 0

    def signal(self, number: int) -> bool:
        """Send a signal to the process group; return whether any process of it exists."""
        if self.process is None:
            return False
        self.process.poll()  # a zombie would count as existing
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def log_tail(self) -> str:
        """Return the last lines of the log, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "".join(f"\n    {line[:200]}" for line in lines)


class Supervisor:
    """Child processes in the order of their start."""

    def __init__(self) -> None:
        self.children: list[ChildProcess] = []
        self.kill_immediately = False  # set by a second Ctrl-C

    def start(self, child: ChildProcess) -> ChildProcess:
        """Start and supervise a child."""
        child.start()
        self.children.append(child)
        return child

    def child(self, name: str) -> ChildProcess:
        """Return the child of that name."""
        return next(child for child in self.children if child.name == name)

    def check(self) -> None:
        """Raise ``ProcessExitedError`` if a child has exited."""
        for child in self.children:
            if child.has_exited():
                code = child.exit_code()
                how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
                raise ProcessExitedError(
                    f"{child.name} ended {how}; its log is {child.log}{child.log_tail()}"
                )

    def restart_exited(self, stopped: Collection[str] = ()) -> list[str]:
        """Restart exited children except ``stopped`` ones, and return their names."""
        exited = [c for c in self.children if c.has_exited() and c.name not in stopped]
        for child in exited:
            child.signal(signal.SIGKILL)  # its own children would keep the port
            child.start()
        return [child.name for child in exited]

    def stop(self, timeout: float) -> None:
        """Terminate all children in reverse order, and kill those left after ``timeout``."""
        for child in reversed(self.children):
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and not self.kill_immediately and self._any_running():
            time.sleep(0.02)
        for child in self.children:
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
        self.children.clear()

    def _any_running(self) -> bool:
        return any(child.signal(0) for child in self.children)


def die_with_parent(number: signal.Signals) -> "DieWithParent | None":
    """Return a ``preexec_fn`` that requests ``number`` at the death of the parent (Linux only)."""
    return DieWithParent(number) if sys.platform == "linux" else None


class DieWithParent:
    """Calls prctl(2) between fork and exec."""

    def __init__(self, number: signal.Signals) -> None:
        self._prctl = ctypes.CDLL(None).prctl  # loading a library after the fork is unsafe
        self._number = number
        self._parent = os.getpid()

    def __call__(self) -> None:
        """Request the signal, and exit if the parent is already dead."""
        self._prctl(PR_SET_PDEATHSIG, self._number)
        if os.getppid() != self._parent:
            os._exit(1)
