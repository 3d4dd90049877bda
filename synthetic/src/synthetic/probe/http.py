"""HTTP/1.1 client with timings of each phase and one deadline for the whole exchange.

HTTP libraries have a timeout for each read, which a slowly sending server never reaches, and
measure DNS and connect together. Here every socket call gets the remaining time.
"""

import select
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import h11

from synthetic.probe.deadline import Deadline
from synthetic.probe.dial import certificate_expiry, connect, rejection, resolve, start_tls
from synthetic.probe.masking import MASK
from synthetic.probe.results import StepError, Timings
from synthetic.probe.target import Target
from synthetic.probe.transport import Proxy

CHUNK_BYTES = 65_536
MAX_REASON = 100  # characters of a parser's message
MAX_BODY_BYTES = 8 * 1024 * 1024  # bytes
# RFC 9110, 9.2.2, and QUERY of OpenAPI 3.2
IDEMPOTENT_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"))


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; ``path`` includes the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Response:
    """An HTTP response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    """A client with one persistent connection, opened at the first request."""

    def __init__(
        self,
        target: Target,
        max_bytes: int = MAX_BODY_BYTES,
        certificate: tuple[str, str] | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        """Configure the target, the longest body, the client's certificate and key, and a proxy."""
        self.timings = Timings()  # of the latest request, complete or not
        self.certificate_expiry = ""  # of the server at the latest handshake
        self.has_connected = False  # once at least
        self._target = target
        self._max_bytes = max_bytes
        self._certificate = certificate
        self._proxy = proxy
        self._socket: socket.socket | None = None
        self._protocol = h11.Connection(h11.CLIENT)
        self._eof = False  # the server has closed its side

    def send(self, request: Request, deadline: Deadline) -> Response:
        """Send a request and return the complete response.

        Raises:
            StepError: with the reason dns, connect, tls or timeout, schema for an invalid
                response, or runner for an invalid request.

        """
        self.timings = Timings()
        if deadline.expired:
            raise StepError("timeout", "the deadline had passed before the request was sent")
        if self._is_stale():
            self.close()
        is_reused = self._socket is not None
        if not is_reused:
            self._connect(deadline)
        try:
            try:
                response = self._exchange(request, deadline)
            except StepError as error:
                if not is_reused or not self._may_repeat(request, error):
                    raise
                self.close()
                self._connect(deadline)
                response = self._exchange(request, deadline)
        except BaseException:
            self.close()
            raise
        self._keep_or_close()
        if self._proxy is not None and not self._target.secure:
            self._check_proxy(self._proxy, response.status)
        return response

    def _check_proxy(self, proxy: Proxy, status: int) -> None:
        from synthetic.probe.proxy import AUTHENTICATION_REQUIRED, refusal  # noqa: PLC0415 - as below

        if status == AUTHENTICATION_REQUIRED and (error := refusal(proxy, status)):
            raise error

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._protocol = h11.Connection(h11.CLIENT)

    def _is_stale(self) -> bool:
        """Return whether the server has closed the idle connection."""
        if self._socket is None:
            return False
        poll = select.poll()  # unlike select, it takes any file descriptor
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def _may_repeat(self, request: Request, error: StepError) -> bool:
        """Return whether the server may have closed the idle connection while it was used.

        Only idempotent requests are repeated then (RFC 9112, 9.3.1).
        """
        is_lost = error.reason == "connect" and not self.timings.first_byte
        return is_lost and request.method in IDEMPOTENT_METHODS

    def _connect(self, deadline: Deadline) -> None:
        if self._proxy is None:
            connection = self._dial(self._target, deadline)
        else:
            connection = self._dial_proxy(self._proxy, deadline)
        if self._target.secure:
            with self._timed("tls"):
                encrypted = start_tls(connection, self._target.host, deadline, self._certificate)
            self.certificate_expiry = certificate_expiry(encrypted)
            connection = encrypted
        self._socket = connection

    def _dial(self, place: Target | Proxy, deadline: Deadline) -> socket.socket:
        with self._timed("dns"):
            addresses = resolve(place.host, place.port, deadline)
        with self._timed("connect"):
            connection = connect(addresses, deadline)
        self.has_connected = True
        return connection

    def _dial_proxy(self, proxy: Proxy, deadline: Deadline) -> socket.socket:
        """Connect to the proxy, and through it to a target with TLS."""
        from synthetic.probe.proxy import open_tunnel, unreachable  # noqa: PLC0415 - most runs need none

        try:
            connection = self._dial(proxy, deadline)
        except StepError as error:
            raise unreachable(proxy, error) from error
        if self._target.secure:
            began = time.perf_counter()
            open_tunnel(connection, proxy, self._target, deadline)
            self.timings.connect += 1000 * (time.perf_counter() - began)
        return connection

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            setattr(self.timings, phase, 1000 * (time.perf_counter() - began))

    def _exchange(self, request: Request, deadline: Deadline) -> Response:
        began = time.perf_counter()
        try:
            self._write(request, deadline)
            return self._read(deadline, began)
        except TimeoutError as error:
            raise StepError("timeout", "no complete response before the deadline") from error
        except h11.RemoteProtocolError as error:
            if self._eof:
                raise StepError(
                    "connect", "the connection was closed before the response was complete"
                ) from error
            reason = MASK.mask(str(error))[:MAX_REASON]
            raise StepError("schema", f"the response is not valid HTTP/1.1: {reason}") from error
        except (h11.LocalProtocolError, UnicodeEncodeError) as error:
            raise StepError(
                "runner", "the journey's request is not valid HTTP: check its headers"
            ) from error
        except OSError as error:
            raise rejection(error) or StepError(
                "connect",
                f"the connection broke before the response was complete: {error.strerror or error}",
            ) from error

    def _write(self, request: Request, deadline: Deadline) -> None:
        given = {name.lower() for name in request.headers}
        defaults = {"Host": self._target.authority, "Accept": "*/*"}
        headers = {name: value for name, value in defaults.items() if name.lower() not in given}
        headers |= request.headers
        if request.body or request.method in {"POST", "PUT", "PATCH"}:
            headers["Content-Length"] = str(len(request.body))
        target = f"{self._target.prefix}{request.path}"
        if self._proxy is not None and not self._target.secure:  # RFC 9112, 3.2.2
            target = f"{self._target.url}{request.path}"
            if self._proxy.authorization:
                headers["Proxy-Authorization"] = self._proxy.authorization
        events = [
            h11.Request(method=request.method, target=target, headers=list(headers.items())),
            *([h11.Data(data=request.body)] if request.body else []),
            h11.EndOfMessage(),
        ]
        sent = b"".join(self._protocol.send(event) or b"" for event in events)
        self._socket_with_timeout(deadline).sendall(sent)

    def _read(self, deadline: Deadline, began: float) -> Response:
        response, body = Response(0, {}, b""), bytearray()
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                self._receive(deadline, began)
            elif event is h11.PAUSED:
                raise StepError("schema", "the server switched to another protocol (101)")
            elif isinstance(event, h11.Response):
                response.status = event.status_code
                response.headers = _combine(event.headers)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._max_bytes:
                    raise StepError(
                        "schema", f"the response is longer than {self._max_bytes} bytes"
                    )
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                response.body = self._decode(bytes(body), response.headers)
                return response

    def _decode(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        encoding = headers.get("content-encoding", "")
        if not body or not encoding:
            return body
        from synthetic.probe.content_encoding import decode  # noqa: PLC0415 - a rare header

        return decode(body, encoding, self._max_bytes)

    def _receive(self, deadline: Deadline, began: float) -> None:
        data = self._socket_with_timeout(deadline).recv(CHUNK_BYTES)
        if data and not self.timings.first_byte:
            self.timings.first_byte = 1000 * (time.perf_counter() - began)
        self._eof = not data
        self._protocol.receive_data(data)

    def _socket_with_timeout(self, deadline: Deadline) -> socket.socket:
        """Return the socket, with the remaining time as its timeout."""
        left = deadline.remaining()
        if self._socket is None or not left:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket

    def _keep_or_close(self) -> None:
        done = self._protocol.our_state is self._protocol.their_state is h11.DONE
        unasked, _ = self._protocol.trailing_data
        if done and not unasked:
            self._protocol.start_next_cycle()
        else:
            self.close()


def _combine(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name; the values of equal names are joined (RFC 9110, 5.3)."""
    combined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode(), raw_value.decode("latin-1")
        combined[name] = f"{combined[name]}, {value}" if name in combined else value
    return combined
