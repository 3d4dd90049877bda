"""HTTP client: slow, late, malformed and oversized responses."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from servicekit.http.http_connection import (
    MAX_BODY_BYTES,
    HttpClientError,
    HttpConnection,
    Origin,
    Response,
)
from servicekit.testing import environment
from servicekit.testing.certificates import self_signed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TIMEOUT = 5.0  # seconds
SHORT_TIMEOUT = 0.5  # seconds
BYTE_INTERVAL = 0.02  # seconds between two bytes of a slow response


class Server:
    """Sends the next response to each request; closes the connection after the last one."""

    def __init__(self, responses: Sequence[bytes], certificate: Path | None, pause: float) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._responses, self._pause = iter(responses), pause
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """Stop the server and wait for its thread."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                self.connections += 1
                self._respond(connection)
            except OSError:  # the client closed the connection
                pass
            finally:
                connection.close()

    def _respond(self, connection: socket.socket) -> None:
        while request := connection.recv(65_536):
            self.requests.append(request)
            response = next(self._responses, b"")
            if not response:
                return
            step = 1 if self._pause else len(response)
            for start in range(0, len(response), step):
                connection.sendall(response[start : start + step])
                time.sleep(self._pause)


@contextmanager
def serving(
    *responses: bytes, certificate: Path | None = None, pause: float = 0.0
) -> Iterator[tuple[Server, HttpConnection]]:
    """Serve these responses; yield the server and a connection to it."""
    server = Server(responses, certificate, pause)
    scheme = "http" if certificate is None else "https"
    connection = HttpConnection(Origin.from_url(f"{scheme}://127.0.0.1:{server.port}/base/"))
    try:
        yield server, connection
    finally:
        connection.close()
        server.stop()


def request(connection: HttpConnection, timeout: float = TIMEOUT, **headers: str) -> Response:
    """Request a path and return the response."""
    deadline = time.monotonic() + timeout
    connection.send("/x", headers, deadline)
    return connection.receive(deadline)


def test_reuses_an_open_connection() -> None:
    chunked = (
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n"
    )
    empty = b"HTTP/1.1 204 No Content\r\n\r\n"
    with serving(OK, chunked, empty, OK) as (server, connection):
        assert not connection.is_open()
        received = [request(connection, Authorization="Bearer a.b.c") for _ in range(4)]
        assert connection.is_open()
    assert received == [
        Response(200, b"{}"),
        Response(404, b"[]"),
        Response(204, b""),
        Response(200, b"{}"),
    ]
    assert server.connections == 1
    head = f"GET /base/x HTTP/1.1\r\nAuthorization: Bearer a.b.c\r\nHost: 127.0.0.1:{server.port}"
    assert server.requests[-1] == f"{head}\r\n\r\n".encode()


def test_reads_a_response_that_arrives_byte_by_byte() -> None:
    with serving(OK, pause=0.001) as (_, connection):
        assert request(connection) == Response(200, b"{}")


def test_slow_response_does_not_extend_the_deadline() -> None:
    with serving(OK, pause=BYTE_INTERVAL) as (_, connection):
        with pytest.raises(HttpClientError, match="timed out"):
            request(connection, BYTE_INTERVAL * len(OK) / 2)
        assert not connection.is_open()


def test_accepts_a_response_that_closes_the_connection() -> None:
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with serving(last, OK) as (server, connection):
        assert request(connection) == Response(200, b"{}")
        assert not connection.is_open()
        assert request(connection) == Response(200, b"{}")
    assert server.connections == 2


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"", "closed before the end"),
        (OK[:-1], "timed out"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "Content-Length"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "Expected HTTP/"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            "protocol",
        ),
        (OK + OK, "on_message_complete"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b" " * (MAX_BODY_BYTES + 1),
            "too large",
        ),
    ],
    ids=["none", "cut off", "no length", "another protocol", "an upgrade", "two", "too large"],
)
def test_reports_an_invalid_response_and_recovers(response: bytes, reason: str) -> None:
    with serving(response, b"", OK) as (server, connection):
        with pytest.raises(HttpClientError, match=reason):
            request(connection, SHORT_TIMEOUT)
        assert not connection.is_open()
        with pytest.raises(HttpClientError):
            request(connection)
        assert request(connection) == Response(200, b"{}")
    assert server.connections == 3


def test_reports_a_refused_connection() -> None:
    with pytest.raises(HttpClientError, match="refused"):
        request(HttpConnection(Origin.from_url("http://127.0.0.1:9")))


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\rb"])
def test_rejects_line_breaks_in_headers(value: str) -> None:
    with serving(OK) as (server, connection):
        with pytest.raises(ValueError, match="line break"):
            request(connection, tracestate=value)
        assert server.requests == []


def test_verifies_the_server_certificate(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with (
        environment(SSL_CERT_FILE=str(certificate)),
        serving(OK, certificate=certificate) as (
            _,
            connection,
        ),
    ):
        assert request(connection) == Response(200, b"{}")
    with serving(OK, certificate=certificate) as (server, connection):
        with pytest.raises(HttpClientError, match="certificate verify failed"):
            request(connection)
        assert server.requests == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://clients", ("clients", 80, "clients", "")),
        ("https://api.example:8443/v1/", ("api.example", 8443, "api.example:8443", "/v1")),
        ("https://[::1]", ("::1", 443, "[::1]", "")),
    ],
)
def test_parses_an_origin_from_a_url(url: str, expected: tuple[str, int, str, str]) -> None:
    origin = Origin.from_url(url)
    assert (origin.host, origin.port, origin.host_header, origin.path_prefix) == expected
    assert (origin.tls is not None) == url.startswith("https")
