"""uvicorn's HTTP protocol with bounded connections and header sections, and without trailers."""

import asyncio
import logging
import re
import resource
import sys
import time
from http import HTTPStatus
from typing import ClassVar

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from servicekit.http.rejection_delay import rejection_delay
from servicekit.problems import MEDIA_TYPE, Problem

MAX_HEADERS = 100
MAX_HEADER_BYTES = 64 * 1024  # names and values; nginx and Traefik admit half of it by default
MAX_TARGET_BYTES = 16 * 1024  # path and query, which have at most 8 KiB
MAX_CONNECTIONS = 2048  # of a worker
RESERVED_FILES = 128  # for the database, logs, metrics and the listening socket
WARNING_INTERVAL = 10.0  # seconds between two warnings about the number of connections

_NOT_IN_HOST = re.compile(rb"[^\w.~!$%&'()*+,;=:\[\]-]")  # RFC 3986, 3.2.2 and 3.2.3
_REQUEST_LINE = re.compile(rb"(?:\r\n)*[\w!#$%&'*+.^`|~-]+ [!-~]+ HTTP/1\.[01]\r?\n")  # RFC 9112, 3

log = logging.getLogger(__name__)


def _response(status: HTTPStatus, msg: str, headers: str = "") -> bytes:
    """Return a problem response, after which the connection is closed."""
    problem = Problem(msg)
    problem.status = status
    body = orjson.dumps(problem.to_dict())
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\n{headers}content-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


_TIMEOUT = _response(HTTPStatus.REQUEST_TIMEOUT, "The request did not end in time")
_TARGET_TOO_LONG = _response(HTTPStatus.REQUEST_URI_TOO_LONG, "The path and query are too long")
_HEADERS_TOO_LARGE = _response(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too many or too long"
)
_UNKNOWN_METHOD = _response(HTTPStatus.NOT_IMPLEMENTED, "This method is not supported")
_BUSY = _response(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The service has too many connections; try again shortly",
    "retry-after: 1\r\n",
)


class _Trailers(list[tuple[bytes, bytes]]):
    """Discards the fields after a chunked body, which must not count as headers (RFC 9110, 6.5)."""

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Discard a field."""


_TRAILERS = _Trailers()


class BoundedHttpProtocol(HttpToolsProtocol):
    """Bounds connections, and refuses too many or too long headers with 431 (RFC 6585, 5).

    A target that is too long is refused with 414 (RFC 9110, 15.5.15).

    An offer of another protocol is ignored (RFC 9110, 7.8).

    A new connection beyond the bound replaces the one that has waited longest for its client: an
    idle one, or one with an unfinished request.
    """

    _by_last_request: ClassVar[dict["BoundedHttpProtocol", None]] = {}  # the oldest one first
    _warned_at: ClassVar[float] = float("-inf")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Start without a header section; close another connection at the bound."""
        super().connection_made(transport)
        self.headers = _TRAILERS
        self._received = 0  # bytes of an incomplete header section, without the first read
        self._trailers = 0
        self._is_refused = False
        self._by_last_request[self] = None
        if len(self._by_last_request) > max_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._by_last_request.pop(self, None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Note the time of the last request, by the order of connections."""
        if self._by_last_request.pop(self, self) is None:
            self._by_last_request[self] = None
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Parse bytes, and bound a header section that does not end."""
        if self._is_refused:
            return
        was_incomplete = self.headers is not _TRAILERS
        self._data = data
        super().data_received(data)
        if self.headers is _TRAILERS:
            return
        self._received = self._received + len(data) if was_incomplete else 0
        if self._received > MAX_HEADER_BYTES:
            self._refuse()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header, or count a trailer; stop the parser at the bound."""
        self._trailers = self._trailers + 1 if self.headers is _TRAILERS else 0
        if self._trailers > MAX_HEADERS or len(self.headers) > MAX_HEADERS:
            self._refuse()
            raise ValueError  # ends the parser's work on this connection
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, unless its headers exceed the bounds."""
        size = sum([len(name) + len(value) for name, value in self.headers])
        is_too_long = size > MAX_HEADER_BYTES or len(self.headers) > MAX_HEADERS
        if is_too_long or len(self.url) > MAX_TARGET_BYTES:
            self._refuse()
            raise ValueError  # ends the parser's work on this connection
        hosts = [value for name, value in self.headers if name == b"host"]
        is_old = self.parser.get_http_version() == "1.0"
        if is_old:  # its clients know no interim response (RFC 9110, 10.1.1)
            self.expect_100_continue = False
        is_missing = not hosts and not is_old
        if is_missing or len(hosts) > 1 or any(map(_NOT_IN_HOST.search, hosts)):  # RFC 9112, 3.2
            self.send_400_response("A request needs one valid Host header")
            raise ValueError  # ends the parser's work on this connection
        if self.parser.should_upgrade():
            return  # ``_unsupported_upgrade_warning`` follows
        super().on_headers_complete()
        self.headers = _TRAILERS

    def on_message_complete(self) -> None:
        """End the request, unless the parser has left it for another protocol."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Parse the request again without its offer of another protocol.

        The parser stops after the headers of such a request, and takes its body for the other
        protocol.
        """
        error, parser = sys.exception(), self.parser
        if not isinstance(error, httptools.HttpParserUpgrade) or parser.get_method() == b"CONNECT":
            self._reject(_UNKNOWN_METHOD)
            return
        rest = self._data[error.args[0] :]
        version = parser.get_http_version().encode()
        lines = [b" ".join((parser.get_method(), self.url, b"HTTP/" + version))]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        HttpToolsProtocol.data_received(self, b"\r\n".join((*lines, b"", rest)))

    def send_400_response(self, msg: str) -> None:
        """Return 400 for a request that cannot be parsed, or 501 for an unknown method."""
        is_unknown = "method" in str(sys.exception()) and _REQUEST_LINE.match(self._data)
        self._reject(_UNKNOWN_METHOD if is_unknown else _response(HTTPStatus.BAD_REQUEST, msg))

    def _reject(self, response: bytes) -> None:
        """End the connection with a response, unless a request on it was refused already."""
        if not self._is_refused and not self.transport.is_closing():
            self.end(response)

    def _make_room(self) -> None:
        self._warn()
        waiting = (each for each in self._by_last_request if each.is_waiting and each is not self)
        victim = next(waiting, None)
        if victim is None:
            self.end(_BUSY)
        else:
            victim.end(_TIMEOUT if victim.has_begun else b"")

    @property
    def is_waiting(self) -> bool:
        """Return whether the client has to send something next."""
        cycle: RequestResponseCycle | None = self.cycle  # before the first request there is none
        return cycle is None or cycle.more_body or cycle.response_complete

    @property
    def has_begun(self) -> bool:
        """Return whether an unfinished request has begun."""
        cycle: RequestResponseCycle | None = self.cycle
        return self.headers is not _TRAILERS or (cycle is not None and cycle.more_body)

    def end(self, response: bytes) -> None:
        """Send a response, which may be empty, and close the connection."""
        self._by_last_request.pop(self, None)
        self.transport.write(response)
        self.transport.close()

    def _warn(self) -> None:
        now = time.monotonic()
        if now - self._warned_at >= WARNING_INTERVAL:
            BoundedHttpProtocol._warned_at = now
            log.warning(
                "the limit of %d connections is reached; those that wait longest for their clients"
                " are closed",
                max_connections(),
            )

    def _refuse(self) -> None:
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        is_long_target = len(self.url) > MAX_TARGET_BYTES
        part = "target too long" if is_long_target else "header section too large"
        log.warning("request refused: %s", part)
        response = _TARGET_TOO_LONG if is_long_target else _HEADERS_TOO_LARGE
        if self.parser.get_method() == b"HEAD":
            response = response[: response.index(b"\r\n\r\n") + 4]
        self.transport.pause_reading()
        self.loop.call_later(rejection_delay(), self.end, response)


def max_connections() -> int:
    """Return the number of connections of this process; each is an open file."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(1, min(MAX_CONNECTIONS, files - RESERVED_FILES))
