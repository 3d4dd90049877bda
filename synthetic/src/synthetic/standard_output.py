"""Standard output of the commands, which may be full, closed, or a pipe without a reader."""

import os
import sys


class OutputError(Exception):
    """Standard output did not take a text."""


def write_output(text: str) -> None:
    """Write a text to standard output and flush it.

    Characters that the encoding of the terminal lacks become escape sequences.

    Raises:
        OutputError: standard output is full or closed.

    """
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    encoding = sys.stdout.encoding or "utf-8"  # None in the tests, which store the output
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        raise OutputError(f"standard output: {error.strerror}") from error
