"""The container's termination message: the progress of a run after each step."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from synthetic.probe.masking import MASK
from synthetic.probe.results import ProbeError, RunResult, StepResult

MAX_MESSAGE_BYTES = 2048  # the kubelet reads up to 4,096 bytes
MAX_DETAIL_BYTES = 700  # of the detail as JSON
MAX_EVIDENCE_BYTES = 160  # of each member of the evidence as JSON


class TerminationLog:
    """A file that contains exactly the latest message, even after a kill."""

    def __init__(self, path: Path | None) -> None:
        """Open ``path``; without a path, write nothing.

        Raises:
            ProbeError: the file cannot be written.

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
            raise ProbeError(f"--termination-log: {path} is not a regular file")

    def write(self, run: RunResult) -> None:
        """Replace the message in a single system call, so that a kill leaves no partial one."""
        if self._file is None:
            return
        text = format_message(run).encode()
        # blanks overwrite the rest of a longer message: truncating would be a second call
        os.pwrite(self._file, text.ljust(self._length), 0)
        self._length = len(text)


def format_message(run: RunResult) -> str:
    """Return a run's state, without its oldest steps if it exceeds ``MAX_MESSAGE_BYTES``."""
    steps = [_step_times(step) for step in run.steps]
    fixed: dict[str, Any] = {**run.summary(), "step": run.step[:64]}
    fixed["journey"] = run.journey[:64]
    fixed["detail"] = _shortened(run.detail, MAX_DETAIL_BYTES)
    if run.evidence:
        from synthetic.probe.public_evidence import to_public  # noqa: PLC0415 - of failures alone

        public = to_public(run.evidence[0])
        fixed["evidence"] = {n: _shortened(t, MAX_EVIDENCE_BYTES) for n, t in public.items()}
    while True:
        text = json.dumps({**fixed, "steps": steps}, separators=(",", ":"))
        if len(text) <= MAX_MESSAGE_BYTES or not steps:  # names of wide characters are longer
            return text
        del steps[0]


def _step_times(step: StepResult) -> list[str | float]:
    """Return name, milliseconds, HTTP status, and the milliseconds of the last request by phase."""
    phases = step.timings
    times = (phases.dns, phases.connect, phases.tls, phases.first_byte)
    rounded = (round(time, 1) for time in times)
    return [step.step_id[:64], round(step.duration_ms, 1), step.status, *rounded]


def _shortened(text: str, limit: int) -> str:
    """Return a text that has ``limit`` bytes at most as JSON, in which escapes count too."""
    text = MASK.mask(text)
    while len(json.dumps(text)) > limit:
        text = f"{text[: len(text) * 3 // 4]}..."
    return text
