"""Growth of the CPU time of a request with the size of its input."""

import time
from collections.abc import Callable

REPETITIONS = 3  # the minimum of the measurements is compared
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
    quarter, half, whole = (
        min(_cpu_seconds(call, largest // part) for _ in range(REPETITIONS)) for part in (4, 2, 1)
    )
    return max(half, whole) / quarter


def _cpu_seconds(call: Callable[[int], object], size: int) -> float:
    started = time.process_time()
    call(size)
    return time.process_time() - started
