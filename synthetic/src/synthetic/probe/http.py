"""HTTP/1.1 over one connection, with the time of each phase and one deadline for all of them.

Libraries give each read a time-out of its own, which a server that drips never reaches, and time
the look-up of the name together with the connection. Here every call gets what is left.
"""

import select
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import h11

from synthetic.probe.deadline import Deadline
from synthetic.probe.dial import connect, resolve, start_tls
from synthetic.probe.results import StepError, Timings
from synthetic.probe.target import Target

CHUNK_BYTES = 65_536
MAX_BODY_BYTES = 8 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; ``path`` holds the query too."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Response:
    """What came back; the headers' names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    """A connection that is made when it is needed, and kept from one step to the next."""

    def __init__(self, target: Target) -> None:
        """Talk to ``target``; nothing is connected yet."""
        self.timings = Timings()  # of the latest request, as far as it came
        self._target = target
        self._socket: socket.socket | None = None
        self._protocol = h11.Connection(h11.CLIENT)
        self._eof = False  # the other side has said all that it will

    def send(self, request: Request, deadline: Deadline) -> Response:
        """Send a request and return the whole answer.

        Raises:
            StepError: with the reason dns, connect, tls, timeout, schema for an answer that is no
                HTTP, or runner for a request that is none.

        """
        self.timings = Timings()
        if deadline.expired:
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
            addresses = resolve(self._target.host, self._target.port, deadline)
        with self._timed("connect"):
            connection = connect(addresses, deadline)
        if self._target.secure:
            with self._timed("tls"):
                connection = start_tls(connection, self._target.host, deadline)
        self._socket = connection

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
            raise StepError("timeout", "there was no whole answer in time") from error
        except h11.RemoteProtocolError as error:
            if self._eof:
                raise StepError(
                    "connect", "the connection was closed before the answer was whole"
                ) from error
            raise StepError("schema", "the answer is no HTTP/1.1") from error
        except (h11.LocalProtocolError, UnicodeEncodeError) as error:
            raise StepError(
                "runner", "the journey's request is no HTTP: look at its headers"
            ) from error
        except OSError as error:
            raise StepError(
                "connect",
                f"the connection broke before the answer was whole: {error.strerror or error}",
            ) from error

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
        self._socket_with_timeout(deadline).sendall(sent)

    def _read(self, deadline: Deadline, began: float) -> Response:
        answer, body = Response(0, {}, b""), bytearray()
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                self._receive(deadline, began)
            elif isinstance(event, h11.Response):
                answer.status = event.status_code
                answer.headers = {k.decode(): v.decode("latin-1") for k, v in event.headers}
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    raise StepError("schema", f"the answer is longer than {MAX_BODY_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                answer.body = bytes(body)
                return answer

    def _receive(self, deadline: Deadline, began: float) -> None:
        data = self._socket_with_timeout(deadline).recv(CHUNK_BYTES)
        if not self.timings.first_byte:
            self.timings.first_byte = 1000 * (time.perf_counter() - began)
        self._eof = not data
        self._protocol.receive_data(data)

    def _socket_with_timeout(self, deadline: Deadline) -> socket.socket:
        """Return the socket, whose next call has the time that is left."""
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
