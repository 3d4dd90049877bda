"""Ramp: ever more, until the system has had enough; how it bears that is the question."""

from load.shapes.phases import Phase, quiet

RATE, SECONDS = 400.0, 240.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of quiet, 4 minutes from 5 to 400 actions a second (not judged), 40 s of quiet.

    Beyond saturation it must refuse (503 with Retry-After), lose nothing, and be well again after:
    of the last 40 s the latencies of 30 are judged, since fewer calls say nothing.
    """
    return (
        quiet(),
        Phase("ramp", seconds, quiet().end, load, judged=False),
        Phase("recovery", 10, quiet().end, quiet().end, judged=False),
        Phase("after", 30, quiet().end, quiet().end),
    )
