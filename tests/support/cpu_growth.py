"""Growth of the CPU time of a request with the size of its input."""

import time
from collections.abc import Callable

REPETITIONS = 3  # the minimum of the measurements is compared
MAX_REPETITIONS = 12  # for a growth that is too high: other load can only raise a measurement
# a linear cost becomes four times as large with four times the input, a quadratic one sixteen times
MAX_GROWTH = 8.0

Text = Callable[[int], str]  # makes a text of about so many bytes


def repeated(unit: str, before: str = "", after: str = "") -> Text:
    """Return a function that makes a text of a size from repetitions of ``unit``."""
    return lambda size: before + unit * (size // len(unit.encode())) + after


def growth(call: Callable[[int], object], largest: int) -> float:
    """Return the CPU time of this process for an input, as a multiple of that for a quarter of it.

    ``call`` handles an input of a given size.
    """
    minima = dict.fromkeys((4, 2, 1), float("inf"))
    for repetition in range(1, MAX_REPETITIONS + 1):
        for part, seconds in minima.items():
            minima[part] = min(seconds, _cpu_seconds(call, largest // part))
        ratio = max(minima[2], minima[1]) / minima[4]
        if repetition >= REPETITIONS and ratio < MAX_GROWTH:
            break
    return ratio


def _cpu_seconds(call: Callable[[int], object], size: int) -> float:
    started = time.process_time()
    call(size)
    return time.process_time() - started
