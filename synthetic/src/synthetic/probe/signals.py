"""SIGTERM and SIGINT end a run between two requests.

The id of a resource that an aborted request has created would be lost.
"""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE_SECONDS = 2.0  # for the current request after a signal


class StopRequested(BaseException):
    """A signal requested the end of the run."""


class Signals:
    """Signal handlers that defer the end of a run until its current request is over."""

    def __init__(self) -> None:
        """Install no handler yet: a run within another program installs none."""
        self._requested = False
        self._in_request = False
        self._pipe: tuple[int, int] | None = None

    def install(self) -> None:
        """Handle SIGTERM and SIGINT."""
        self._pipe = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_alarm)

    def ignore(self) -> None:
        """Ignore signals: the clean-up must not be interrupted."""
        if self._pipe is not None:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
                signal.signal(number, signal.SIG_IGN)
        self._requested = False

    def check(self) -> None:
        """Raise ``StopRequested`` after a signal."""
        if self._requested:
            raise StopRequested

    def sleep(self, seconds: float) -> None:
        """Sleep, and raise ``StopRequested`` as soon as a signal arrives."""
        if self._pipe is None:
            time.sleep(seconds)
        elif not self._requested:
            select.select([self._pipe[0]], [], [], seconds)
        self.check()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Defer a signal while a request runs, for at most ``GRACE_SECONDS``."""
        self.check()
        self._in_request = True
        try:
            yield
        finally:
            self._in_request = False
            if self._requested:
                signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        if self._requested or self._pipe is None:
            return
        self._requested = True
        os.write(self._pipe[1], b"!")
        if self._in_request:
            signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)

    def _on_alarm(self, _: int, __: FrameType | None) -> None:
        if self._in_request:
            raise StopRequested
