"""Soak: hours of load, to find slow growth of memory and tables, and expiring tokens."""

from load.shapes.phases import Phase, baseline, constant

RATE, SECONDS = 25.0, 7_200.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of baseline, then 2 hours at 25 actions a second, in three parts.

    The first and the last tenth have the same limits as the middle. Tokens expire once
    in two hours. Rows of the synthetic realm expire after one, so the run needs the live realm.
    """
    return (
        baseline(),
        constant("beginning", seconds / 10, load),
        constant("middle", seconds * 8 / 10, load),
        constant("end", seconds / 10, load),
    )
