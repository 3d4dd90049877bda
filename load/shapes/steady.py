"""Steady: an ordinary busy day, at about half of the capacity of one machine."""

from load.shapes.phases import Phase, baseline, constant

RATE, SECONDS = 50.0, 300.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of baseline, 10 s of warm-up without limits, 5 minutes at 50 actions a second."""
    return (
        baseline(),
        constant("warm-up", 10, load, judged=False),
        constant("steady", seconds, load),
    )
