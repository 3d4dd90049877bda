"""Steady: an ordinary busy day, at about half of what one machine can do."""

from load.shapes.phases import Phase, quiet, steady

RATE, SECONDS = 50.0, 300.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of quiet, 10 s to warm up (not judged), then 5 minutes at 50 actions a second."""
    return quiet(), steady("warm-up", 10, load, judged=False), steady("steady", seconds, load)
