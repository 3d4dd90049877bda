"""Drafts of folders: locked while their process lives; the next one removes the others."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from servicekit import durable_files


@contextmanager
def new_draft(draft: Path, stale: str, report: Callable[[Path], None]) -> Iterator[None]:
    """Create a folder that is locked until the block ends, and is then removed if it still exists.

    Folders beside it with names like ``stale`` that no process has locked are reported and removed.
    """
    try:
        with ExitStack() as locks:
            with _lock(draft.parent):  # a new draft of another process is not locked at once
                for other in draft.parent.glob(stale):
                    with suppress(BlockingIOError), _lock(other, fcntl.LOCK_NB):
                        report(other)
                        shutil.rmtree(other)
                durable_files.create_folder(draft)
                locks.enter_context(_lock(draft))
            yield
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _lock(folder: Path, option: int = 0) -> Iterator[None]:
    """Lock a folder until the block ends or the process is killed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | option)
        yield
    finally:
        os.close(descriptor)
