"""Time that runs out."""

import time


class Deadline:
    """A point in time that all that is done before it shares."""

    def __init__(self, seconds: float) -> None:
        """Set it ``seconds`` from now."""
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left, 0 at the least."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining() <= 0
