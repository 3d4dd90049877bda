"""Progress messages on standard error, and the error that ends a benchmark."""

import sys
import time

_started = time.monotonic()


class BenchmarkError(Exception):
    """The benchmark cannot continue; the message gives the reason and a remedy."""


def report(text: str) -> None:
    """Write a message with the elapsed time."""
    sys.stderr.write(f"bench: [{time.monotonic() - _started:5.0f} s] {text}\n")
    sys.stderr.flush()
