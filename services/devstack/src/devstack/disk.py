"""Faults of the file system of the data folder: full, read-only, or broken."""

import os
import tempfile
from pathlib import Path

MIB = 1024 * 1024
LOW_BYTES = 64 * MIB  # PostgreSQL's next journal files fit into it
TEST_BYTES = b"\0" * 4096


def problem(folder: Path) -> str:
    """Return a sentence about a fault of the file system of ``folder``; empty without one.

    A test file is written, because a quota or an aborted journal appears in no status.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(TEST_BYTES)
            file.flush()
            os.fsync(file.fileno())
        status = os.statvfs(folder)
    except OSError as error:
        return f"the disk of {folder} cannot be written: {error.strerror}"
    free = status.f_bavail * status.f_frsize
    if free < LOW_BYTES:
        return f"the disk of {folder} is almost full: {free // MIB} MiB are free"
    return ""


class DiskWatch:
    """Reports each new fault of a file system once."""

    def __init__(self, folder: Path, interval: float) -> None:
        """Check at most every ``interval`` seconds."""
        self._folder = folder
        self._interval = interval
        self._next_check = 0.0
        self._known = ""

    def new_problem(self, now: float) -> str:
        """Return a fault that was not reported yet at the monotonic time ``now``; else empty."""
        if now < self._next_check:
            return ""
        self._next_check = now + self._interval
        found = problem(self._folder)
        is_new = bool(found) and not self._known
        self._known = found
        return found if is_new else ""
