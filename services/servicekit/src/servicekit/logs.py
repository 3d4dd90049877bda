"""Logs: one JSON object a line, on standard output, with nothing personal in it."""

import logging
import sys
import time
import traceback
from typing import TextIO

import orjson


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
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            line["error"] = type(error).__name__
            line["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return orjson.dumps(line).decode()


def configure(service: str, level: str, stream: TextIO = sys.stdout) -> None:
    """Send every log of this process to ``stream``, as JSON."""
    # what no line shows need not be found out for each (Logging HOWTO, "Optimization")
    logging._srcfile = None  # noqa: SLF001 - the documented switch
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    gunicorn = logging.getLogger("gunicorn.error")  # its own form wants what was just left out
    gunicorn.handlers.clear()
    gunicorn.propagate = True
    for name in ("httpx", "httpcore"):  # at INFO they log whole URLs
        logging.getLogger(name).setLevel(logging.WARNING)
