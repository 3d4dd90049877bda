"""Children that end with us, whatever ends us, and that are named when they end by themselves."""

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

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LAST_LINES = 5


class ChildDiedError(Exception):
    """A child ended by itself; the message names it and shows the end of its log."""


class Process(Protocol):
    """The part of ``subprocess.Popen`` that a watch needs."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, minus the signal's number for one, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, ``timeout`` seconds at most, and return the exit code."""


Launch = Callable[[Sequence[str], Path, Mapping[str, str]], Process]
"""Starts a command in a session of its own, with an environment; what it says goes to a log."""


def execute(command: Sequence[str], log: Path, environ: Mapping[str, str]) -> Process:
    """Start any program."""
    with log.open("ab") as output:
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
class Child:
    """One process of the system."""

    name: str
    command: Sequence[str]
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    launch: Launch = execute
    process: Process | None = None

    def start(self) -> None:
        """Start it, out of reach of the terminal's Ctrl-C: we end it in order."""
        self.process = self.launch(self.command, self.log, {**os.environ, **self.environ})

    def ended(self) -> bool:
        """Tell whether it has ended."""
        return self.process is not None and self.process.poll() is not None

    def exit_code(self) -> int:
        """Return the exit code, minus the signal's number for one; 0 while it runs."""
        return (self.process and self.process.poll()) or 0

    def signal(self, number: int) -> bool:
        """Send a signal to it and to what it has started; tell whether any of it lives."""
        if self.process is None:
            return False
        self.process.poll()  # take note of its end, or it counts as living
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def last_words(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "".join(f"\n    {line[:200]}" for line in lines)


class Supervisor:
    """The children, in the order in which they were started."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.hurry = False  # set by a second Ctrl-C

    def start(self, child: Child) -> Child:
        """Start a child and keep watch over it."""
        child.start()
        self.children.append(child)
        return child

    def child(self, name: str) -> Child:
        """Return the child of that name."""
        return next(child for child in self.children if child.name == name)

    def check(self) -> None:
        """Raise ``ChildDiedError`` when a child has ended by itself."""
        for child in self.children:
            if child.ended():
                code = child.exit_code()
                how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
                message = f"{child.name} ended {how}; its log is {child.log}{child.last_words()}"
                raise ChildDiedError(message)

    def revive(self, held: Collection[str] = ()) -> list[str]:
        """Start again what has ended, but for the children ``held`` down; return their names."""
        ended = [c for c in self.children if c.ended() and c.name not in held]
        for child in ended:
            child.signal(signal.SIGKILL)  # what it has started would keep its port
            child.start()
        return [child.name for child in ended]

    def stop(self, patience: float) -> None:
        """End every child, the last one started first; who does not end in time is killed."""
        for child in reversed(self.children):
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not self.hurry and self._anything_lives():
            time.sleep(0.02)
        for child in self.children:
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
        self.children.clear()

    def _anything_lives(self) -> bool:
        return any(child.signal(0) for child in self.children)


def die_with_parent(number: signal.Signals) -> "DieWithParent | None":
    """Return what a child runs first, so that it gets ``number`` when its parent dies (Linux)."""
    return DieWithParent(number) if sys.platform == "linux" else None


class DieWithParent:
    """Calls prctl(2) between fork and exec."""

    def __init__(self, number: signal.Signals) -> None:
        self._prctl = ctypes.CDLL(None).prctl  # looked up now: after a fork is no time for it
        self._number = number
        self._parent = os.getpid()

    def __call__(self) -> None:
        """Ask for the signal; end at once when the parent is gone already."""
        self._prctl(PR_SET_PDEATHSIG, self._number)
        if os.getppid() != self._parent:
            os._exit(1)
