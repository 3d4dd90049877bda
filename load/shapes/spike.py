"""Spike: a sudden fivefold load for half a minute."""

from load.shapes.phases import Phase, baseline, constant

RATE, SECONDS = 30.0, 30.0
SPIKE_FACTOR = 5


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 30 actions a second for 30 s, 150 for 30 s, 30 again for 40 s, after 10 s of baseline.

    The spike's latencies have no limits. The 10 s after it are the recovery: the threshold there
    is the time until latencies are those of before.
    """
    return (
        baseline(),
        constant("before", 30, load),
        constant("spike", seconds, load * SPIKE_FACTOR, judged=False),
        constant("recovery", 10, load, judged=False),
        constant("after", 30, load),
    )
