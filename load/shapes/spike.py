"""Spike: five times the crowd, all of a sudden, and gone again."""

from load.shapes.phases import Phase, quiet, steady

RATE, SECONDS = 30.0, 30.0
TIMES = 5


def phases(load: float = RATE, seconds: float = SECONDS) -> tuple[Phase, ...]:
    """Return 30 actions a second for 30 s, 150 for 30 s (not judged), 30 again for 40 s.

    Of the last 40 s the first 10 are for recovering, and their latencies are judged by how soon
    they are those of before. 10 s of quiet precede it all.
    """
    return (
        quiet(),
        steady("before", 30, load),
        steady("spike", seconds, load * TIMES, judged=False),
        steady("recovery", 10, load, judged=False),
        steady("after", 30, load),
    )
