"""Delay of rejections: a caller that repeats them as fast as it can then paces itself."""

import random

SHORTEST, LONGEST = 0.25, 0.75  # seconds


def rejection_delay() -> float:
    """Return a random delay in seconds.

    With one length, the requests of a caller with many connections would return all at once.
    """
    return random.uniform(SHORTEST, LONGEST)  # noqa: S311 - not a secret
