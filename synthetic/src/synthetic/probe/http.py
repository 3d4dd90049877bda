"""HTTP/1.1 over one connection, with the time of each phase and one deadline for all of them.

Libraries give each read a time-out of its own, which a server that drips never reaches, and time
the look-up of the name together with the connection. Here every call gets what is left.
"""

import queue
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h11

from synthetic.probe.deadline import Deadline
from synthetic.probe.outcome import Phases, StepError
from synthetic.probe.target import Target

if TYPE_CHECKING:
    import ssl  # costs 5 MB, and plain HTTP needs none of it

CHUNK = 65_536
LARGEST_BODY = 8 * 1024 * 1024  # bytes

Addresses = list[tuple[socket.AddressFamily, Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; ``path`` holds the query too."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """What came back; the headers' names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    """A connection that is made when it is needed, and kept from one step to the next."""

    def __init__(self, target: Target) -> None:
        """Talk to ``target``; nothing is connected yet."""
        self.phases = Phases()  # of the latest request, as far as it came
        self._target = target
        self._socket: socket.socket | None = None
        self._context: ssl.SSLContext | None = None
        self._protocol = h11.Connection(h11.CLIENT)
        self._has_ended = False  # the other side has said all that it will

    def send(self, request: Request, deadline: Deadline) -> Answer:
        """Send a request and return the whole answer.

        Raises:
            StepError: with the reason dns, connect, tls, timeout, or schema for what is no HTTP.

        """
        self.phases = Phases()
        if deadline.is_over:
            raise StepError("timeout", "the time was over before the request was sent")
        if self._is_stale():
            self.close()
        if self._socket is None:
            self._connect(deadline)
        try:
            answer = self._exchange(request, deadline)
        except BaseException:
            self.close()
            raise
        self._keep_or_close()
        return answer

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._protocol = h11.Connection(h11.CLIENT)

    def _is_stale(self) -> bool:
        """Tell whether the other side has closed a connection that we kept."""
        return bool(self._socket and select.select([self._socket], [], [], 0)[0])

    def _connect(self, deadline: Deadline) -> None:
        with self._timed("dns"):
            addresses = resolve(self._target, deadline)
        with self._timed("connect"):
            plain = connect(addresses, deadline)
        if not self._target.secure:
            self._socket = plain
            return
        with self._timed("tls"):
            self._socket = self._secure(plain, deadline)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            setattr(self.phases, phase, 1000 * (time.perf_counter() - began))

    def _secure(self, plain: socket.socket, deadline: Deadline) -> "ssl.SSLSocket":
        import ssl  # noqa: PLC0415 - see above

        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.set_alpn_protocols(["http/1.1"])
        plain.settimeout(max(deadline.left(), 0.001))
        try:
            return self._context.wrap_socket(plain, server_hostname=self._target.host)
        except ssl.SSLCertVerificationError as error:
            plain.close()
            message = f"the certificate is not accepted: {error.verify_message}"
            raise StepError("tls", message) from error
        except TimeoutError as error:
            plain.close()
            raise StepError("tls", "the TLS handshake did not end in time") from error
        except OSError as error:
            plain.close()
            message = (
                f"the TLS handshake failed: {getattr(error, 'reason', None) or error.strerror}"
            )
            raise StepError("tls", message) from error

    def _exchange(self, request: Request, deadline: Deadline) -> Answer:
        began = time.perf_counter()
        try:
            self._write(request, deadline)
            return self._read(deadline, began)
        except TimeoutError as error:
            raise StepError("timeout", "there was no whole answer in time") from error
        except h11.RemoteProtocolError as error:
            if self._has_ended:
                message = "the connection was closed before the answer was whole"
                raise StepError("connect", message) from error
            raise StepError("schema", f"the answer is no HTTP/1.1: {error}") from error
        except OSError as error:
            message = f"the connection broke before the answer was whole: {error.strerror or error}"
            raise StepError("connect", message) from error

    def _write(self, request: Request, deadline: Deadline) -> None:
        headers = {"Host": self._target.authority, "Accept": "*/*", **request.headers}
        if request.body or request.method in {"POST", "PUT", "PATCH"}:
            headers["Content-Length"] = str(len(request.body))
        target = f"{self._target.prefix}{request.path}"
        events = [
            h11.Request(method=request.method, target=target, headers=list(headers.items())),
            *([h11.Data(data=request.body)] if request.body else []),
            h11.EndOfMessage(),
        ]
        sent = b"".join(self._protocol.send(event) or b"" for event in events)
        self._ready(deadline).sendall(sent)

    def _read(self, deadline: Deadline, began: float) -> Answer:
        answer = Answer(0, {}, b"")
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                self._receive(deadline, began)
            elif isinstance(event, h11.Response):
                answer.status = event.status_code
                answer.headers = {k.decode(): v.decode("latin-1") for k, v in event.headers}
            elif isinstance(event, h11.Data):
                answer.body += event.data
                if len(answer.body) > LARGEST_BODY:
                    message = f"the answer is longer than {LARGEST_BODY} bytes"
                    raise StepError("schema", message)
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return answer

    def _receive(self, deadline: Deadline, began: float) -> None:
        data = self._ready(deadline).recv(CHUNK)
        if not self.phases.first_byte:
            self.phases.first_byte = 1000 * (time.perf_counter() - began)
        self._has_ended = not data
        self._protocol.receive_data(data)

    def _ready(self, deadline: Deadline) -> socket.socket:
        """Return the socket, whose next call has the time that is left."""
        left = deadline.left()
        if self._socket is None or not left:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket

    def _keep_or_close(self) -> None:
        done = self._protocol.our_state is self._protocol.their_state is h11.DONE
        if done:
            self._protocol.start_next_cycle()
        else:
            self.close()


def resolve(target: Target, deadline: Deadline) -> Addresses:
    """Return the addresses of a host; the look-up cannot be interrupted, so it has a thread.

    Raises:
        StepError: with the reason dns.

    """
    found: queue.SimpleQueue[Addresses | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            found.put([(entry[0], entry[4]) for entry in entries])
        except OSError as error:
            found.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        result = found.get(timeout=max(deadline.left(), 0.001))
    except queue.Empty:
        message = f"the name {target.host} was not resolved in time"
        raise StepError("dns", message) from None
    if isinstance(result, OSError):
        message = f"the name {target.host} cannot be resolved: {result.strerror}"
        raise StepError("dns", message) from result
    return result


def connect(addresses: Addresses, deadline: Deadline) -> socket.socket:
    """Return a connection to the first address that takes one.

    Raises:
        StepError: with the reason connect.

    """
    failure = ""
    for index, (family, address) in enumerate(addresses):
        attempt = socket.socket(family, socket.SOCK_STREAM)
        try:
            attempt.settimeout(max(deadline.left() / (len(addresses) - index), 0.001))
            attempt.connect(address)
            attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            attempt.close()
            failure = "not in time" if isinstance(error, TimeoutError) else str(error.strerror)
        else:
            return attempt
    raise StepError("connect", f"no connection: {failure}")
