"""Filter of PostgreSQL's log: omits statements, which contain personal data.

PostgreSQL logs the statement of a panic under every setting. This program copies its input to its
output without those parts of a message that quote statements or rows. It imports little, since it
runs beside the server all the time.
"""

import os
import sys
from contextlib import suppress

QUOTING_PARTS = (b" STATEMENT:  ", b" DETAIL:  ", b" QUERY:  ", b" CONTEXT:  ")


def main() -> None:
    """Filter lines until the last writer closes the pipe."""
    quotes = is_cut = False
    for line in iter(sys.stdin.buffer.readline, b""):
        if not line.startswith(b"\t"):  # PostgreSQL starts each continuation line with a tab
            quotes = any(part in line for part in QUOTING_PARTS)
        if not quotes:
            is_cut = not _write(b"\n" + line if is_cut else line)


def _write(line: bytes) -> bool:
    """Write a line, and return whether all of it was written, as on a disk that is not full."""
    with suppress(OSError):  # the server must not wait for its log
        return os.write(sys.stdout.fileno(), line) == len(line)
    return False


if __name__ == "__main__":
    main()
