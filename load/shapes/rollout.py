"""Rollout: a light load during a change of the system; Ctrl-C ends it afterwards."""

from load.shapes.phases import Phase, baseline, constant

RATE, SECONDS = 10.0, 900.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of baseline, then at most 15 minutes of 10 actions a second."""
    return baseline(), constant("rollout", seconds, load)
