"""Step: one rate, for as long as it takes to judge it; `make capacity` climbs them."""

from load.shapes.phases import Phase, quiet, steady

RATE, SECONDS = 50.0, 15.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of quiet, 4 s to warm up (not judged), then 15 s at 50 actions a second."""
    return quiet(), steady("warm-up", 4, load, judged=False), steady("step", seconds, load)
