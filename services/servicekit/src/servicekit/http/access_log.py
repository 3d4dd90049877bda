"""What every answer has: an id, headers that guard it, and one line in the log.

The lines of some 500 ms are written together. Those of a process that is killed (SIGKILL, or
SIGABRT from gunicorn when its event loop hangs) before they are written are lost; SIGTERM, an
exception that ends the process, and a full buffer lose none.
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
from servicekit.telemetry.logs import Output, moment

REQUEST_ID = "cadastro.request_id"  # in the environ of every request
ROUTE = "cadastro.route"  # and of one that has found its route: the path's template
API_CSP = "default-src 'none'; frame-ancestors 'none'"
TOGETHER = 0.5  # seconds that a line may wait for others; each write costs the requests beside it

_GIVEN_ID = re.compile(r"[A-Za-z0-9._~:+/=-]{1,128}\Z")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\Z")
_UUID_BITS = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF  # those that are random
_UUID_4 = 0x00000000_0000_4000_8000_000000000000


class AccessLog:
    """The log of answers: a line each, written from one thread of its own."""

    def __init__(self, service: str, output: Output) -> None:
        """Write lines of ``service`` to ``output``; at once, until it is started."""
        self._fixed = {"level": "INFO", "service": service, "logger": "access", "event": "request"}
        self._output = output
        self._log = logging.getLogger("access")  # whose level says whether there are lines
        self._some, self._ended = threading.Event(), threading.Event()
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Collect lines from now on; after a fork, not before."""
        self._some.clear()
        self._ended.clear()
        self._writer = threading.Thread(target=self._write, name="access-log", daemon=True)
        self._writer.start()

    def stop(self) -> None:
        """Write what was collected; lines that still come are written at once."""
        writer, self._writer = self._writer, None
        self._ended.set()
        self._some.set()
        if writer is not None:
            writer.join()

    def is_wanted(self) -> bool:
        """Tell whether the log's level lets lines through."""
        return self._log.isEnabledFor(logging.INFO)

    def line(self, **fields: Any) -> None:  # noqa: ANN401 - any JSON value
        """Log one answer."""
        told = {"time": moment(time.time()), **self._fixed, **fields}
        is_first = self._output.later(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        if self._writer is None:
            self._output.write_waiting()
        elif is_first:
            self._some.set()

    def _write(self) -> None:
        while not self._ended.is_set():
            self._some.wait()
            self._ended.wait(TOGETHER)
            self._some.clear()  # before the lines are taken: the next one calls again
            self._output.write_waiting()


def answering(app: WSGIApplication, access: AccessLog) -> WSGIApplication:
    """Return an application whose answers have what every answer has.

    Its line names the route, never the path or the query, which name people; probes have none.
    """

    def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID")
        request_id = given if given and _GIVEN_ID.match(given) else _new_id()
        environ[REQUEST_ID] = request_id
        status = 0

        def begun(line: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401 - as PEP 3333 has it
            nonlocal status
            status = int(line[:3])
            return start_response(line, _guarded(headers, request_id), *rest)

        chunks = app(environ, begun)
        if access.is_wanted() and not environ["PATH_INFO"].startswith("/-/"):
            access.line(
                request_id=request_id,
                trace_id=_trace_id(environ),
                method=environ["REQUEST_METHOD"],
                route=environ.get(ROUTE),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 2),
            )
        return chunks

    return answered


def _guarded(headers: list[tuple[str, str]], request_id: str) -> list[tuple[str, str]]:
    """Return headers with those that every answer has; the last two may be an answer's own."""
    names = {name.lower() for name, _ in headers}
    added = [("X-Request-ID", request_id), ("X-Content-Type-Options", "nosniff")]
    if "cache-control" not in names:
        added.append(("Cache-Control", "no-store"))
    if "content-security-policy" not in names:
        added.append(("Content-Security-Policy", API_CSP))
    return headers + added


def _trace_id(environ: WSGIEnvironment) -> str | None:
    given = tracing.TRACEPARENT.get() or environ.get("HTTP_TRACEPARENT")
    trace = _TRACEPARENT.match(given) if given else None
    return trace[1] if trace else None


def _new_id() -> str:
    """Return a random UUID (RFC 9562, version 4), without asking the kernel for its bits."""
    digits = f"{getrandbits(128) & _UUID_BITS | _UUID_4:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
