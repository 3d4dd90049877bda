"""`Expect: 100-continue` (RFC 9110, 10.1.1)."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from servicekit.testing import FakeIssuer

CREATE = b"POST /clients/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n"
EXPECT = b"Expect: 100-continue\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture
def connection(service_url: str) -> Iterator[socket.socket]:
    """A connection to the service."""
    address = urlsplit(service_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        yield connection


def received(connection: socket.socket) -> bytes:
    """Return all data until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("length", [65537, 1_000_000, 10**18])
def test_a_body_over_the_limit_is_declined_before_it_is_sent(
    connection: socket.socket, issuer: FakeIssuer, length: int
) -> None:
    fields = f"Authorization: Bearer {issuer.token()}\r\nContent-Length: {length}\r\n".encode()
    connection.sendall(CREATE % (fields + EXPECT))
    assert received(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_within_the_limit_is_requested(connection: socket.socket) -> None:
    connection.sendall(CREATE % (b"Content-Length: 2\r\nConnection: close\r\n" + EXPECT))
    assert connection.recv(len(CONTINUE)) == CONTINUE
    connection.sendall(b"{}")
    assert received(connection).startswith(b"HTTP/1.1 401 ")
