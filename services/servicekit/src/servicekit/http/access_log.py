"""Middleware for every response: a request id, security headers and a line in the access log.

Lines are written in batches every half second. SIGKILL, and gunicorn's SIGABRT for a blocked event
loop, lose the lines in memory; SIGTERM, a fatal exception and a full buffer lose none.
"""

import logging
import re
import threading
import time
from collections.abc import Iterable
from random import getrandbits
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson

from servicekit.telemetry import tracing
from servicekit.telemetry.logs import BufferedStreamHandler, rfc3339

REQUEST_ID = "cadastro.request_id"  # environ key, set for every request
ROUTE = "cadastro.route"  # environ key: the path template, set after routing
API_CSP = "default-src 'none'; frame-ancestors 'none'"
FLUSH_INTERVAL = 0.5  # seconds; each write slows down the requests that run at the same time

_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:+/=-]{1,128}\Z")
# W3C Trace Context, 3.2: ids of zeros and the version ff are invalid; later versions may be longer
_TRACEPARENT = re.compile(
    r"(?:00(?=-.{52}\Z)|(?!00|ff)[0-9a-f]{2}(?=-.{52}(?:-|\Z)))"
    r"-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_UUID_RANDOM_BITS = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
_UUID_4 = 0x00000000_0000_4000_8000_000000000000


class AccessLog:
    """Access log with a line for each response, written by a background thread."""

    def __init__(self, service: str, output: BufferedStreamHandler) -> None:
        """Write lines of ``service`` to ``output``, unbuffered until ``start``."""
        self._fixed = {"level": "INFO", "service": service, "logger": "access", "event": "request"}
        self._output = output
        self._log = logging.getLogger("access")  # its level enables the lines
        self._pending, self._stopped = threading.Event(), threading.Event()
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Start the background thread; call it after a fork, not before."""
        self._pending.clear()
        self._stopped.clear()
        self._writer = threading.Thread(target=self._write, name="access-log", daemon=True)
        self._writer.start()

    def stop(self) -> None:
        """Write the buffered lines and return to unbuffered writes."""
        writer, self._writer = self._writer, None
        self._stopped.set()
        self._pending.set()
        if writer is not None:
            writer.join()
        self._output.flush_buffer()  # the thread may not have run at all

    def is_enabled(self) -> bool:
        """Return whether the log's level lets lines through."""
        return self._log.isEnabledFor(logging.INFO)

    def log_request(self, **fields: Any) -> None:  # noqa: ANN401 - any JSON value
        """Log one request and its response."""
        record = {"time": rfc3339(time.time()), **self._fixed, **fields}
        is_first = self._output.enqueue(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        if self._writer is None:
            self._output.flush_buffer()
        elif is_first:
            self._pending.set()

    def _write(self) -> None:
        while not self._stopped.is_set():
            self._pending.wait()
            self._stopped.wait(FLUSH_INTERVAL)
            self._pending.clear()  # before the write, so that a later line sets it again
            self._output.flush_buffer()


def access_log_middleware(app: WSGIApplication, access_log: AccessLog) -> WSGIApplication:
    """Return ``app`` with common headers and a log line for every response except of probes.

    The line holds the route template and never the path or the query, which hold personal data.
    """

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID")
        request_id = given if given and _REQUEST_ID.match(given) else _new_id()
        environ[REQUEST_ID] = request_id
        status = 0

        def wrapped_start_response(line: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401 - PEP 3333's signature
            nonlocal status
            status = int(line[:3])
            return start_response(line, _with_default_headers(headers, request_id), *rest)

        chunks = app(environ, wrapped_start_response)
        if access_log.is_enabled() and not environ["PATH_INFO"].startswith("/-/"):
            access_log.log_request(
                request_id=request_id,
                trace_id=_trace_id(environ),
                method=environ["REQUEST_METHOD"],
                route=environ.get(ROUTE),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 2),
            )
        return chunks

    return wrapped


def _with_default_headers(headers: list[tuple[str, str]], request_id: str) -> list[tuple[str, str]]:
    """Return headers with the defaults added; a response may override the last two of them."""
    names = {name.lower() for name, _ in headers}
    added = [("X-Request-ID", request_id), ("X-Content-Type-Options", "nosniff")]
    if "cache-control" not in names:
        added.append(("Cache-Control", "no-store"))
    if "content-security-policy" not in names:
        added.append(("Content-Security-Policy", API_CSP))
    return headers + added


def _trace_id(environ: WSGIEnvironment) -> str | None:
    traceparent = tracing.TRACEPARENT.get() or environ.get("HTTP_TRACEPARENT")
    match = _TRACEPARENT.match(traceparent) if traceparent else None
    return match[1] if match else None


def _new_id() -> str:
    """Return a random UUID (RFC 9562, version 4) without a system call."""
    digits = f"{getrandbits(128) & _UUID_RANDOM_BITS | _UUID_4:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
