"""Progress messages on standard error."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

INTERVAL_SECONDS = 2.0
T = TypeVar("T")


def report(text: str) -> None:
    """Write a message."""
    sys.stderr.write(f"load: {text}\n")
    sys.stderr.flush()


def with_progress(action: str, items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and report progress every few seconds."""
    everything = list(items)
    reported = time.monotonic()
    for number, item in enumerate(everything):
        if time.monotonic() - reported > INTERVAL_SECONDS:
            reported = time.monotonic()
            report(f"{action}, {number} of {len(everything)}")
        yield item
