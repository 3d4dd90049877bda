"""SIGTERM and SIGINT: they end a run between two requests, not in the middle of one.

A request that is cut off may have made something of which nobody learns the id.
"""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE_SECONDS = 2.0  # seconds that the request under way still gets


class StopRequested(BaseException):
    """Somebody wants us to end."""


class Signals:
    """What came, and when it may interrupt."""

    def __init__(self) -> None:
        """Hear nothing yet; a run that is part of another program never does."""
        self._requested = False
        self._in_request = False
        self._pipe: tuple[int, int] | None = None

    def install(self) -> None:
        """Hear SIGTERM and SIGINT from now on."""
        self._pipe = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_alarm)

    def ignore(self) -> None:
        """Hear nothing any more: what is done from now on must be done."""
        if self._pipe is not None:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
                signal.signal(number, signal.SIG_IGN)
        self._requested = False

    def check(self) -> None:
        """Raise ``StopRequested`` when a signal came."""
        if self._requested:
            raise StopRequested

    def sleep(self, seconds: float) -> None:
        """Wait, and raise ``StopRequested`` as soon as a signal comes."""
        if self._pipe is None:
            time.sleep(seconds)
        elif not self._requested:
            select.select([self._pipe[0]], [], [], seconds)
        self.check()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Let a request end, within some seconds, when a signal comes while it is under way."""
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
