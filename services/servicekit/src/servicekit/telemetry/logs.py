"""Logs: one JSON object a line, on standard output, with nothing personal in it.

What goes wrong is written at once. The line that every request has may wait for others, so that
they are written together; whatever is written at once takes along what waits, and the order stays.
"""

import logging
import select
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, TextIO

import orjson

MOST = 256  # lines that may wait
WHOLE = select.PIPE_BUF  # bytes that a pipe takes in one piece, whoever else writes to it


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON.

    An exception shows its type and where it came from, never its text: a driver's messages
    quote the values that it was given.
    """

    def __init__(self, service: str) -> None:
        """Name the service in every line."""
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": moment(record.created),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            line["error"] = type(error).__name__
            line["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return orjson.dumps(line).decode()


class Output(logging.StreamHandler[TextIO]):
    """Writes records at once, and before each the lines that wait."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``."""
        super().__init__(stream)
        self._waiting: list[bytes] = []

    def later(self, line: bytes) -> bool:
        """Take a line that may wait; tell whether it is the first that does.

        A record, too many lines, and the end of the interpreter write what waits, as a ``flush``
        does.
        """
        self.acquire()
        try:
            self._waiting.append(line)
            if len(self._waiting) >= MOST:
                self.write_waiting()
            return len(self._waiting) == 1
        finally:
            self.release()

    def write_waiting(self) -> None:
        """Write what waits; lines that the stream does not take are told of on standard error."""
        self.acquire()
        try:
            lines, self._waiting = self._waiting, []
            for piece in _pieces(lines):
                self.stream.write(piece.decode())
                super().flush()
        except (OSError, ValueError):  # ValueError: it is closed
            self.handleError(logging.makeLogRecord({"msg": f"lines lost: {len(lines)} at most"}))
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        """Write what waits, and then a record."""
        self.write_waiting()
        super().emit(record)

    def flush(self) -> None:
        """Write what waits, and all that the stream holds back."""
        self.write_waiting()
        super().flush()

    def close(self) -> None:
        """Write what waits, for the last time."""
        self.write_waiting()
        super().close()


def configure(service: str, level: str, stream: TextIO = sys.stdout) -> Output:
    """Send every log of this process to ``stream``, as JSON."""
    # what no line shows need not be found out for each (Logging HOWTO, "Optimization")
    logging._srcfile = None  # noqa: SLF001 - the documented switch
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    output = Output(stream)
    output.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[output], force=True)
    gunicorn = logging.getLogger("gunicorn.error")  # its own form wants what was just left out
    gunicorn.handlers.clear()
    gunicorn.propagate = True
    for name in ("httpx", "httpcore"):  # at INFO they log whole URLs
        logging.getLogger(name).setLevel(logging.WARNING)
    return output


def moment(seconds: float) -> str:
    """Return a time since the epoch as RFC 3339 has it, in UTC, to the millisecond."""
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


@lru_cache(maxsize=2)  # a second has many lines
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines to pieces that workers can write to one pipe without mixing them up."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > WHOLE:
            yield b"".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield b"".join(piece)
