"""A deadline on the monotonic clock."""

import time


class Deadline:
    """A point in time that several operations share."""

    def __init__(self, seconds: float) -> None:
        """Set the deadline ``seconds`` from now."""
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the remaining seconds, at least 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        """True if the deadline has passed."""
        return self.remaining() <= 0
