"""Ramp: a rising load until the system is saturated, then its recovery."""

from load.shapes.phases import Phase, baseline

RATE, SECONDS = 400.0, 240.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of baseline, 4 minutes from 5 to 400 actions a second, 40 s of baseline.

    Beyond saturation the system must refuse (503 with Retry-After), lose nothing, and recover.
    Latencies have limits in the last 30 s alone: fewer calls would not be significant.
    """
    rate = baseline().end
    return (
        baseline(),
        Phase("ramp", seconds, rate, load, judged=False),
        Phase("recovery", 10, rate, rate, judged=False),
        Phase("after", 30, rate, rate),
    )
