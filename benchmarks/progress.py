"""What a person sees while a benchmark runs, and the one error that ends it."""

import sys
import time

_started = time.monotonic()


class BenchError(Exception):
    """The benchmark cannot go on; the message says why and what to do."""


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"bench: [{time.monotonic() - _started:5.0f} s] {text}\n")
    sys.stderr.flush()
