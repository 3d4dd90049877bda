"""Smoke: half a minute of light load, to find gross failures."""

from load.shapes.phases import BASELINE_RATE, Phase, baseline, constant

RATE, SECONDS = 10.0, 20.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of baseline (5 actions a second), then 20 s at 10 actions a second."""
    return baseline(min(load, BASELINE_RATE)), constant("steady", seconds, load)
