"""Our Python programs as forks of one process, so that what they all import is in memory once.

Each runs what `python -m MODULE` runs, with a session, an environment, a log and a name in `ps`
of its own. Only a process without threads may fork them.
"""

import ctypes
import gc
import importlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import setproctitle

from devstack.supervisor import die_with_parent

# what the programs import, and nothing that reads an environment as it is imported
SHARED = (
    "gunicorn.app.wsgiapp",
    "servicekit.app",
    "servicekit.db.migrate",
    "servicekit.outbox.relay",
    "servicekit.server.worker",
    "sqlalchemy.dialects.postgresql",
)

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # glibc's malloc.h
ARENAS, MMAP_THRESHOLD = 2, 128 * 1024  # bytes from which a block is given back at once


class Forked:
    """A running `python -m MODULE ARGUMENT...` that was forked, not executed."""

    def __init__(self, command: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
        """Start it; as ``supervisor.execute`` does."""
        context = multiprocessing.get_context("fork")
        run = (command, log, environ, die_with_parent(signal.SIGTERM))
        self._process: BaseProcess = context.Process(target=_become, args=run)
        self._process.start()
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        """Return the exit code, minus the signal's number for one, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, ``timeout`` seconds at most, and return the exit code.

        Raises:
            subprocess.TimeoutExpired: it has not ended in time.

        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process.name), timeout or 0)
        return code


def share() -> None:
    """Import what the programs have in common, and keep it out of the collector's reach."""
    _be_frugal()
    with warnings.catch_warnings(action="ignore"):  # about what they import themselves
        for name in SHARED:
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection would write into every page that is shared


def _become(
    command: Sequence[str],
    log: Path,
    environ: Mapping[str, str],
    prepare: Callable[[], None] | None,
) -> None:
    """Turn a fresh fork into what the command names."""
    os.setsid()
    if prepare is not None:
        prepare()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _redirect(log)
    os.environ.clear()
    os.environ.update(environ)
    setproctitle.setproctitle(" ".join(command))
    _, _, module, *arguments = command
    sys.argv[:] = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _redirect(log: Path) -> None:
    """Close all that the parent had open: its lock on the data folder is not ours to keep."""
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    os.open(os.devnull, os.O_RDONLY)
    os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(1, 2)


def _be_frugal() -> None:
    """Tell glibc what the environment would have told it, had it been set before we began."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD)
