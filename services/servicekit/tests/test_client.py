"""Answers as they come by a socket: whole or in crumbs, well or badly made, in time or too late."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from servicekit.http.client import (
    MAX_BODY_BYTES,
    HttpClientError,
    HttpConnection,
    Origin,
    Response,
)
from servicekit.testing import environment
from servicekit.testing.certificates import self_signed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SECONDS = 5.0
SHORT = 0.5  # seconds to wait for what will not come
CRUMB = 0.02  # seconds between two bytes of an answer in crumbs


class Server:
    """Answers each request with the next of some bytes; nothing more closes the connection."""

    def __init__(self, answers: Sequence[bytes], certificate: Path | None, pause: float) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answers, self._pause = iter(answers), pause
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait until it has."""
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
                self._answer(connection)
            except OSError:  # the other side has had enough
                pass
            finally:
                connection.close()

    def _answer(self, connection: socket.socket) -> None:
        while request := connection.recv(65_536):
            self.requests.append(request)
            answer = next(self._answers, b"")
            if not answer:
                return
            step = 1 if self._pause else len(answer)
            for start in range(0, len(answer), step):
                connection.sendall(answer[start : start + step])
                time.sleep(self._pause)


@contextmanager
def talking(
    *answers: bytes, certificate: Path | None = None, pause: float = 0.0
) -> Iterator[tuple[Server, HttpConnection]]:
    """Serve these answers, and yield the server and a connection to it."""
    server = Server(answers, certificate, pause)
    scheme = "http" if certificate is None else "https"
    connection = HttpConnection(Origin.from_url(f"{scheme}://127.0.0.1:{server.port}/base/"))
    try:
        yield server, connection
    finally:
        connection.close()
        server.stop()


def ask(connection: HttpConnection, seconds: float = SECONDS, **headers: str) -> Response:
    """Ask for a path, and return the answer."""
    deadline = time.monotonic() + seconds
    connection.send("/x", headers, deadline)
    return connection.receive(deadline)


def test_questions_go_by_one_connection_while_it_stays_open() -> None:
    chunked = (
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n"
    )
    empty = b"HTTP/1.1 204 No Content\r\n\r\n"
    with talking(OK, chunked, empty, OK) as (server, connection):
        assert not connection.is_open()
        seen = [ask(connection, Authorization="Bearer a.b.c") for _ in range(4)]
        assert connection.is_open()
    assert seen == [
        Response(200, b"{}"),
        Response(404, b"[]"),
        Response(204, b""),
        Response(200, b"{}"),
    ]
    assert server.connections == 1
    head = f"GET /base/x HTTP/1.1\r\nAuthorization: Bearer a.b.c\r\nHost: 127.0.0.1:{server.port}"
    assert server.requests[-1] == f"{head}\r\n\r\n".encode()


def test_an_answer_in_crumbs_is_read_whole() -> None:
    with talking(OK, pause=0.001) as (_, connection):
        assert ask(connection) == Response(200, b"{}")


def test_crumbs_do_not_put_the_deadline_off() -> None:
    with talking(OK, pause=CRUMB) as (_, connection):
        with pytest.raises(HttpClientError, match="timed out"):
            ask(connection, CRUMB * len(OK) / 2)
        assert not connection.is_open()


def test_an_answer_that_ends_the_connection_is_one() -> None:
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with talking(last, OK) as (server, connection):
        assert ask(connection) == Response(200, b"{}")
        assert not connection.is_open()
        assert ask(connection) == Response(200, b"{}")
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "why"),
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
def test_what_is_no_answer_is_told_and_the_next_one_is_read(answer: bytes, why: str) -> None:
    with talking(answer, b"", OK) as (server, connection):
        with pytest.raises(HttpClientError, match=why):
            ask(connection, SHORT)
        assert not connection.is_open()
        with pytest.raises(HttpClientError):
            ask(connection)
        assert ask(connection) == Response(200, b"{}")
    assert server.connections == 3


def test_nobody_there_is_told() -> None:
    with pytest.raises(HttpClientError, match="refused"):
        ask(HttpConnection(Origin.from_url("http://127.0.0.1:9")))


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\rb"])
def test_no_header_brings_a_second_one_along(value: str) -> None:
    with talking(OK) as (server, connection):
        with pytest.raises(ValueError, match="line break"):
            ask(connection, tracestate=value)
        assert server.requests == []


def test_a_server_with_a_certificate_is_believed_when_its_authority_is(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with (
        environment(SSL_CERT_FILE=str(certificate)),
        talking(OK, certificate=certificate) as (
            _,
            connection,
        ),
    ):
        assert ask(connection) == Response(200, b"{}")
    with talking(OK, certificate=certificate) as (server, connection):
        with pytest.raises(HttpClientError, match="certificate verify failed"):
            ask(connection)
        assert server.requests == []


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://clients", ("clients", 80, "clients", "")),
        ("https://api.example:8443/v1/", ("api.example", 8443, "api.example:8443", "/v1")),
        ("https://[::1]", ("::1", 443, "[::1]", "")),
    ],
)
def test_an_address_is_read_from_a_url(url: str, where: tuple[str, int, str, str]) -> None:
    origin = Origin.from_url(url)
    assert (origin.host, origin.port, origin.host_header, origin.path_prefix) == where
    assert (origin.tls is not None) == url.startswith("https")
