"""Smoke: does anything burn at all?"""

from load.shapes.phases import Phase, quiet, steady

RATE, SECONDS = 10.0, 20.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of quiet (5 actions a second), then 20 s at 10 actions a second."""
    return quiet(min(load, 5)), steady("steady", seconds, load)
