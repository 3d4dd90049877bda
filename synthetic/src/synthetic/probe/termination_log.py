"""The termination message: how far a run has come, for whoever finds the container ended."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from synthetic.probe.results import ProbeError, RunResult

MAX_MESSAGE_BYTES = 2048  # bytes; the kubelet reads up to 4,096


class TerminationLog:
    """A file that holds the latest message and nothing else, whenever we are killed."""

    def __init__(self, path: Path | None) -> None:
        """Write to ``path``, or nowhere.

        Raises:
            UsageError: the file cannot be written.

        """
        self._file: int | None = None
        self._length = 0
        if path is None:
            return
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as error:
            raise ProbeError(
                f"--termination-log: {path} cannot be written ({error.strerror})"
            ) from error
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise ProbeError(f"--termination-log: {path} is no file that can be rewritten")

    def write(self, outcome: RunResult) -> None:
        """Put a run's state in place of the last one, in one call that no kill parts."""
        if self._file is None:
            return
        text = format_message(outcome).encode()
        # blanks over the rest of a longer predecessor: to truncate would be a second call
        os.pwrite(self._file, text.ljust(self._length), 0)
        self._length = len(text)


def format_message(outcome: RunResult) -> str:
    """Return a run's state in at most ``LIMIT`` bytes; the oldest steps give way."""
    steps = [[s.step_id[:64], round(s.duration_ms), s.status] for s in outcome.steps]
    fixed: dict[str, Any] = {**outcome.summary(), "step": outcome.step[:64]}
    fixed["journey"] = outcome.journey[:64]
    while True:
        text = json.dumps({**fixed, "steps": steps}, separators=(",", ":"))
        if len(text) <= MAX_MESSAGE_BYTES:
            return text
        del steps[0]
