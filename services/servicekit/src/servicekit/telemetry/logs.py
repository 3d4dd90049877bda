"""JSON logs on standard output, one object per line, without personal data.

Log records are written immediately. Access lines are buffered and written in batches. A record
first flushes the buffer, so the order of lines is preserved.
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

MAX_BUFFERED = 256  # lines
PIPE_BUF = select.PIPE_BUF  # bytes; larger writes to a pipe are not atomic


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON.

    An exception appears with its type and its stack, but without its message: messages of database
    drivers quote values.
    """

    def __init__(self, service: str) -> None:
        """Add the name of the service to every line."""
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON object of a record."""
        line: dict[str, Any] = {
            "time": rfc3339(record.created),
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


class BufferedStreamHandler(logging.StreamHandler[TextIO]):
    """Stream handler that writes records immediately, and buffers other lines."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``."""
        super().__init__(stream)
        self._buffer: list[bytes] = []

    def enqueue(self, line: bytes) -> bool:
        """Buffer a line; return whether the buffer was empty.

        A record, ``flush``, a full buffer and the exit of the interpreter write the buffer.
        """
        self.acquire()
        try:
            self._buffer.append(line)
            if len(self._buffer) >= MAX_BUFFERED:
                self.flush_buffer()
            return len(self._buffer) == 1
        finally:
            self.release()

    def flush_buffer(self) -> None:
        """Write the buffered lines; report lines that cannot be written on standard error."""
        self.acquire()
        try:
            lines, self._buffer = self._buffer, []
            for chunk in _chunks(lines):
                self.stream.write(chunk.decode())
                super().flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            self.handleError(logging.makeLogRecord({"msg": f"lines lost: {len(lines)} at most"}))
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the buffered lines and then a record."""
        self.flush_buffer()
        super().emit(record)

    def flush(self) -> None:
        """Write the buffered lines and flush the stream."""
        self.flush_buffer()
        super().flush()

    def close(self) -> None:
        """Write the buffered lines and close the handler."""
        self.flush_buffer()
        super().close()


def configure(service: str, level: str, stream: TextIO = sys.stdout) -> BufferedStreamHandler:
    """Send all logs of this process to ``stream`` as JSON."""
    # skip what the format does not use (Logging HOWTO, "Optimization")
    logging._srcfile = None  # noqa: SLF001 - the documented switch
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    output = BufferedStreamHandler(stream)
    output.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[output], force=True)
    gunicorn = logging.getLogger("gunicorn.error")  # its own format uses the skipped attributes
    gunicorn.handlers.clear()
    gunicorn.propagate = True
    for name in ("httpx", "httpcore"):  # at INFO they log complete URLs
        logging.getLogger(name).setLevel(logging.WARNING)
    return output


def rfc3339(seconds: float) -> str:
    """Return a time since the epoch in RFC 3339 format, in UTC with milliseconds."""
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


@lru_cache(maxsize=2)  # many lines share a second
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines into chunks that each fit an atomic write to a shared pipe."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and size + len(line) > PIPE_BUF:
            yield b"".join(chunk)
            chunk, size = [], 0
        chunk.append(line)
        size += len(line)
    if chunk:
        yield b"".join(chunk)
