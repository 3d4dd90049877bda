"""Logs that only their owner may read: a log may contain personal data."""

import os
from pathlib import Path
from typing import BinaryIO


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending, and close it to other accounts."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)  # an earlier release created it readable
    return os.fdopen(descriptor, "ab")
