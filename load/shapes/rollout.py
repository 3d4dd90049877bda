"""Rollout: a little load while something is done to the system; Ctrl-C ends it after that."""

from load.shapes.phases import Phase, quiet, steady

RATE, SECONDS = 10.0, 900.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of quiet, then 15 minutes at most of 10 actions a second."""
    return quiet(), steady("rollout", seconds, load)
