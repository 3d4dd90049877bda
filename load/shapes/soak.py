"""Soak: hours, for what grows slowly: memory, tables, tokens that expire."""

from load.shapes.phases import Phase, quiet, steady

RATE, SECONDS = 25.0, 7_200.0


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 10 s of quiet, then 2 hours at 25 actions a second, the first and last tenth apart.

    Two hours are twice the life of a token, and of a row in the monitors' realm: so long a run is
    one of the live realm. Each part is held against the same thresholds.
    """
    return (
        quiet(),
        steady("beginning", seconds / 10, load),
        steady("middle", seconds * 8 / 10, load),
        steady("end", seconds / 10, load),
    )
