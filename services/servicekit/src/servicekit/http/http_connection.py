"""HTTP/1.1 client connection: sends a GET and reads the response by a deadline.

The standard library's client takes ten times the CPU time, most of it for headers that are not
used, and applies its time-out to each read. This one parses with httptools, as uvicorn does. A
response must have a length, as all responses on persistent connections do (RFC 9112, 6.3).
"""

import select
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import httptools

from servicekit.http.tls import client_context

CHUNK_BYTES = 65_536
MAX_BODY_BYTES = 65_536
DEFAULT_PORTS = {"http": 80, "https": 443}


class HttpClientError(Exception):
    """The request got no response, or an unreadable one; the message gives the reason."""


TRANSPORT_ERRORS = (
    OSError,
    httptools.HttpParserError,
    httptools.HttpParserUpgrade,
    HttpClientError,
)


@dataclass(frozen=True)
class Origin:
    """Network address, Host header, path prefix and TLS context of a service."""

    host: str
    port: int
    host_header: str
    path_prefix: str
    tls: ssl.SSLContext | None

    @classmethod
    def from_url(cls, base_url: str) -> Self:
        """Return the origin of a base URL."""
        parts = urlsplit(base_url)
        tls = client_context() if parts.scheme == "https" else None
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        return cls(host, port, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), tls)


@dataclass(frozen=True)
class Response:
    """The status and the body of a response; headers are dropped."""

    status: int
    body: bytes


class HttpConnection:
    """A persistent connection for one thread at a time; the first request opens it."""

    def __init__(self, origin: Origin) -> None:
        """Prepare a connection to ``origin``."""
        self._origin = origin
        self._socket: socket.socket | None = None
        self._parser = _ResponseParser()  # of the responses on this socket

    def send(self, path: str, headers: Mapping[str, str], deadline: float) -> None:
        """Send a GET request; ``deadline`` is a value of ``time.monotonic``.

        Raises:
            HttpClientError: the request cannot be sent.
            ValueError: a header has a character that HTTP does not allow (RFC 9110, 5.5).

        """
        target = (self._origin.path_prefix + path).removeprefix("/")
        first = f"GET /{target} HTTP/1.1"
        lines = (first, *(f"{name}: {value}" for name, value in headers.items()))
        request = "\r\n".join((*lines, f"Host: {self._origin.host_header}", "\r\n"))
        if request.count("\n") != len(lines) + 2 or request.count("\r") != len(lines) + 2:
            raise ValueError("a header has a line break in it")
        try:
            self._open(deadline).sendall(request.encode("latin-1"))
        except OSError as error:
            raise self._failed(error) from error

    def receive(self, deadline: float) -> Response:
        """Read the response to the request that was sent.

        Raises:
            HttpClientError: the response is late or unreadable.

        """
        parser = self._parser
        parser.reset()
        try:
            while not parser.is_complete:
                data = self._open(deadline).recv(CHUNK_BYTES)
                if not data:
                    raise HttpClientError("connection closed before the end of the response")
                parser.http_parser.feed_data(data)
                if parser.size > MAX_BODY_BYTES:
                    raise HttpClientError("the response body is too large")
        except TRANSPORT_ERRORS as error:
            raise self._failed(error) from error
        if not parser.keep_alive:
            self.close()
        return Response(parser.status, b"".join(parser.parts))

    def is_open(self) -> bool:
        """Return whether the peer keeps the idle connection open: it then has nothing to read."""
        if self._socket is None:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self, deadline: float) -> socket.socket:
        """Return the socket with the remaining time as its time-out."""
        remaining = max(deadline - time.monotonic(), 0.001)
        if self._socket is None:
            origin = self._origin
            opened = socket.create_connection((origin.host, origin.port), remaining)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if origin.tls is not None:
                opened = origin.tls.wrap_socket(opened, server_hostname=origin.host)
            self._socket, self._parser = opened, _ResponseParser()
        self._socket.settimeout(remaining)
        return self._socket

    def _failed(self, error: Exception) -> HttpClientError:
        self.close()
        if isinstance(error, httptools.HttpParserUpgrade):
            return HttpClientError("the server requested a protocol upgrade")
        return HttpClientError(str(error) or type(error).__name__)


class _ResponseParser:
    """State of the response that is being parsed; the methods are httptools' callbacks."""

    def __init__(self) -> None:
        self.http_parser = httptools.HttpResponseParser(self)
        self.reset()

    def reset(self) -> None:
        """Prepare for the next response."""
        self.status = self.size = 0
        self.parts: list[bytes] = []
        self.keep_alive = self.is_complete = False

    def feed(self, data: bytes) -> None:
        """Parse data from the socket; no data means that the peer closed the connection."""
        if not data:
            raise HttpClientError("connection closed before the end of the response")
        self.http_parser.feed_data(data)
        if self.size > MAX_BODY_BYTES:
            raise HttpClientError("the response body is too large")

    def on_headers_complete(self) -> None:
        self.status = self.http_parser.get_status_code()
        self.keep_alive = self.http_parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)
        self.size += len(part)

    def on_message_complete(self) -> None:
        if self.is_complete:
            raise HttpClientError("more than one response to a request")
        self.is_complete = True
