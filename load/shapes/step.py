"""Step: one rate, just long enough to evaluate it; `make capacity` runs a series of them."""

from load.shapes.phases import Phase, baseline, constant

RATE, SECONDS = 50.0, 15.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of baseline, 4 s of warm-up without limits, 15 s at 50 actions a second."""
    return baseline(), constant("warm-up", 4, load, judged=False), constant("step", seconds, load)
