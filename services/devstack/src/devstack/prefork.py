"""Python programs as forks of one process, which share the memory of common imports.

Each fork runs like `python -m MODULE`, with its own session, environment, log and process title.
The parent must not have threads.
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

# imports common to the programs; none of these modules reads the environment at import
PRELOADED_MODULES = (
    "gunicorn.app.wsgiapp",
    "servicekit.app",
    "servicekit.db.migrate",
    "servicekit.outbox.relay",
    "servicekit.server.worker",
    "sqlalchemy.dialects.postgresql",
)

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # options in glibc's malloc.h
MALLOC_ARENAS = 2
MALLOC_MMAP_THRESHOLD = 128 * 1024  # bytes; larger blocks are returned to the system when freed


class ForkedProcess:
    """A running `python -m MODULE ARGUMENT...` that was forked instead of executed."""

    def __init__(self, command: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
        """Start the process, with the interface of ``supervisor.launch_program``."""
        context = multiprocessing.get_context("fork")
        run = (command, log, environ, die_with_parent(signal.SIGTERM))
        self._process: BaseProcess = context.Process(target=_run_in_fork, args=run)
        self._process.start()
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the process runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait up to ``timeout`` seconds for the end, and return the exit code.

        Raises:
            subprocess.TimeoutExpired: the process still runs.

        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process.name), timeout or 0)
        return code


def preload() -> None:
    """Import the common modules, and exclude their objects from garbage collection."""
    _reduce_malloc_memory()
    with warnings.catch_warnings(action="ignore"):  # raised by imports of third parties
        for name in PRELOADED_MODULES:
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection would write to shared pages and so copy them


def _run_in_fork(
    command: Sequence[str],
    log: Path,
    environ: Mapping[str, str],
    prepare: Callable[[], None] | None,
) -> None:
    """Run a command in a new fork."""
    os.setsid()
    if prepare is not None:
        prepare()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _redirect_output(log)
    os.environ.clear()
    os.environ.update(environ)
    setproctitle.setproctitle(" ".join(command))
    _, _, module, *arguments = command
    sys.argv[:] = [module, *arguments]
    sys.modules.pop(module, None)  # runpy warns of a module that the parent has imported
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _redirect_output(log: Path) -> None:
    """Close all inherited files, including the lock of the data folder, and write to ``log``."""
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    os.open(os.devnull, os.O_RDONLY)
    os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.fchmod(1, 0o600)  # an earlier release created it readable
    os.dup2(1, 2)


def _reduce_malloc_memory() -> None:
    """Set malloc options that glibc reads from the environment only at its start."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, MALLOC_ARENAS)
        mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP_THRESHOLD)
