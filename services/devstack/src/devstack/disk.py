"""Faults of the file system of the data folder: full, read-only, or broken."""

import errno
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
LOW_BYTES = 64 * MIB  # PostgreSQL's next journal files fit into it
TEST_BYTES = b"\0" * 4096

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Problem:
    """A fault of a file system."""

    sentence: str  # with the path, the reason and a remedy; empty without a fault
    severity: int  # 0: no fault, 1: it is almost full, 2: it cannot be written


def problem(folder: Path) -> str:
    """Return a sentence about a fault of the file system of ``folder``; empty without one."""
    return inspect(folder).sentence


def inspect(folder: Path) -> Problem:
    """Return the fault of the file system of ``folder``.

    A test file is written, because a quota or an aborted journal appears in no status.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(TEST_BYTES)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = (
            f"{_space(folder)}; free some space"
            if error.errno in _FULL
            else "check the disk, and mount it writable"
        )
        return Problem(f"the disk of {folder} cannot be written ({error.strerror}): {remedy}", 2)
    status = os.statvfs(folder)
    if status.f_bavail * status.f_frsize < LOW_BYTES:
        return Problem(f"the disk of {folder} is almost full: {_space(folder)}; free some space", 1)
    return Problem("", 0)


def _space(folder: Path) -> str:
    status = os.statvfs(folder)
    free, total = status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
    return f"{free // MIB} MiB of {total // MIB} are free"


class DiskWatch:
    """Reports each new fault of a file system once."""

    def __init__(self, folder: Path, interval: float) -> None:
        """Check at most every ``interval`` seconds."""
        self._folder = folder
        self._interval = interval
        self._next_check = 0.0
        self._known = 0  # a severity

    def new_problem(self, now: float) -> str:
        """Return a fault that is new or worse at the monotonic time ``now``; else empty."""
        if now < self._next_check:
            return ""
        self._next_check = now + self._interval
        found = inspect(self._folder)
        is_worse = found.severity > self._known
        self._known = found.severity
        return found.sentence if is_worse else ""
