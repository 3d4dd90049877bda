"""SIGTERM and SIGINT: they end a run between two requests, never in the middle of one.

A request that is cut off may have made something of which nobody learns the id.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE = 2.0  # seconds that the request under way still gets


class StopRequested(BaseException):
    """Somebody wants us to end."""


class Signals:
    """What came, and whether it may interrupt now."""

    def __init__(self) -> None:
        """Hear nothing yet; a run that is part of another program never does."""
        self.requested = False
        self._shielded = False
        self._grace = 0.0

    def install(self) -> None:
        """Hear SIGTERM and SIGINT from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_alarm)

    @contextmanager
    def shielded(self, grace: float = GRACE) -> Iterator[None]:
        """Hold a signal back until the block ends or ``grace`` seconds are over (0: never)."""
        self._shielded, self._grace = True, grace
        try:
            yield
        finally:
            self._shielded = False
            if self.requested and grace:
                signal.setitimer(signal.ITIMER_REAL, 0)
        if self.requested and grace:
            raise StopRequested

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        if self.requested:
            return
        self.requested = True
        if not self._shielded:
            raise StopRequested
        if self._grace:
            signal.setitimer(signal.ITIMER_REAL, self._grace)

    def _on_alarm(self, _: int, __: FrameType | None) -> None:
        if self._shielded:
            raise StopRequested
