"""A connection to another service: it sends a GET, and reads the answer by a deadline.

The standard library's client takes ten times the processor's time, most of it for headers that
nobody looks at, and lets each read wait anew. The parser is the one that uvicorn reads with. An
answer must tell its length, as all of HTTP/1.1's do whose connection stays open (RFC 9112, 6.3).
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

CHUNK = 65_536  # bytes
LARGEST = 65_536  # bytes of an answer's body
PORTS = {"http": 80, "https": 443}


class ExchangeError(Exception):
    """There is no answer, or none that can be read; the text says why."""


UNREADABLE = (OSError, httptools.HttpParserError, httptools.HttpParserUpgrade, ExchangeError)


@dataclass(frozen=True)
class Address:
    """Where a service is, and how to speak to it."""

    host: str
    port: int
    name: str  # of the Host header
    path: str  # before that of every question
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, base_url: str) -> Self:
        """Return the address that a base URL names."""
        parts = urlsplit(base_url)
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        host = parts.hostname or ""
        name = parts.netloc.rpartition("@")[2]
        return cls(host, parts.port or PORTS[parts.scheme], name, parts.path.rstrip("/"), tls)


@dataclass(frozen=True)
class Answer:
    """A status and a body; no header matters."""

    status: int
    body: bytes


class Connection:
    """A connection that one thread uses at a time; it is opened by the first question."""

    def __init__(self, address: Address) -> None:
        """Speak to whoever is at ``address``."""
        self._address = address
        self._socket: socket.socket | None = None
        self._reading = _Reading()  # of the answers that come by this socket

    def send(self, path: str, headers: Mapping[str, str], deadline: float) -> None:
        """Ask for a path; ``deadline`` is a moment of ``time.monotonic``.

        Raises:
            ExchangeError: it cannot be sent.
            ValueError: a header has a character that HTTP does not allow (RFC 9110, 5.5).

        """
        target = (self._address.path + path).removeprefix("/")
        first = f"GET /{target} HTTP/1.1"
        lines = (first, *(f"{name}: {value}" for name, value in headers.items()))
        question = "\r\n".join((*lines, f"Host: {self._address.name}", "\r\n"))
        if question.count("\n") != len(lines) + 2 or question.count("\r") != len(lines) + 2:
            message = "a header has a line break in it"
            raise ValueError(message)
        try:
            self._open(deadline).sendall(question.encode("latin-1"))
        except OSError as error:
            raise self._failed(error) from error

    def receive(self, deadline: float) -> Answer:
        """Read the answer to what was sent.

        Raises:
            ExchangeError: it does not come in time, or is none.

        """
        reading = self._reading
        reading.begin()
        try:
            while not reading.is_complete:
                data = self._open(deadline).recv(CHUNK)
                if not data:
                    message = "it was closed before the end of an answer"
                    raise ExchangeError(message)
                reading.parser.feed_data(data)
                if reading.size > LARGEST:
                    message = "an answer that is too large"
                    raise ExchangeError(message)
        except UNREADABLE as error:
            raise self._failed(error) from error
        if not reading.keeps_open:
            self.close()
        return Answer(reading.status, b"".join(reading.parts))

    def is_open(self) -> bool:
        """Tell whether the other side has kept it open; before a question it says nothing else."""
        if self._socket is None:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close it; the next question would open it again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self, deadline: float) -> socket.socket:
        """Return the socket, with what is left as its time-out."""
        left = max(deadline - time.monotonic(), 0.001)
        if self._socket is None:
            address = self._address
            opened = socket.create_connection((address.host, address.port), left)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if address.tls is not None:
                opened = address.tls.wrap_socket(opened, server_hostname=address.host)
            self._socket, self._reading = opened, _Reading()
        self._socket.settimeout(left)
        return self._socket

    def _failed(self, error: Exception) -> ExchangeError:
        self.close()
        if isinstance(error, httptools.HttpParserUpgrade):
            return ExchangeError("it would go on in another protocol")
        return ExchangeError(str(error) or type(error).__name__)


class _Reading:
    """What a parser finds of one answer after the other; its methods are the parser's callbacks."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.begin()

    def begin(self) -> None:
        """Forget the answer before."""
        self.status = self.size = 0
        self.parts: list[bytes] = []
        self.keeps_open = self.is_complete = False

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()
        self.keeps_open = self.parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)
        self.size += len(part)

    def on_message_complete(self) -> None:
        if self.is_complete:
            message = "more than one answer to a question"
            raise ExchangeError(message)
        self.is_complete = True
