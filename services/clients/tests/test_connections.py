"""Many connections at once: those of attackers give way, and the limit is logged."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from servicekit.server.http_protocol import RESERVED_FILES
from servicekit.testing import (
    FakeIssuer,
    GunicornServer,
    gunicorn_server,
    peer_settings,
)

BOUND = 40  # connections
HELD = 3 * BOUND
REQUEST = b"GET /-/live HTTP/1.1\r\nHost: x\r\n\r\n"  # it needs no thread and no database
POST = b"POST /clients/create HTTP/1.1\r\nHost: x\r\n"
TIMEOUT = 10.0  # seconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the service, with its log."""
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def service(database_url: str, issuer: FakeIssuer, folder: Path) -> Iterator[GunicornServer]:
    """A service that may open few files."""
    settings = peer_settings(issuer, database_url, folder, INVENTORY_URL="http://127.0.0.1:9")
    with gunicorn_server("clients", settings, log=folder / "log") as service:
        for worker in service.workers:
            files = RESERVED_FILES + BOUND
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (files, files))
        yield service


def connect(service: GunicornServer) -> socket.socket:
    """Open a connection to the service."""
    url = urlsplit(service.url)
    return socket.create_connection((url.hostname, url.port), TIMEOUT)


def request(connection: socket.socket) -> bytes:
    """Send a request and return the first bytes of the response."""
    connection.sendall(REQUEST)
    received = b""
    while b"alive" not in received:
        received += connection.recv(4096) or pytest.fail(f"closed after {received!r}")
    return received


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"POST /clie", b"HTTP/1.1 408 "),
        (POST, b"HTTP/1.1 408 "),
        (POST + b"Content-Length: 100\r\n\r\n", b"HTTP/1.1 408 "),
        (POST + b"Content-Length: 100\r\n\r\n{", b"HTTP/1.1 408 "),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", b"HTTP/1.1 408 "),
        (REQUEST, b"HTTP/1.1 200 "),
    ],
)
def test_connections_that_wait_for_their_clients_give_way(
    service: GunicornServer, folder: Path, sent: bytes, answer: bytes
) -> None:
    with ExitStack() as held, connect(service) as good:
        attackers = []
        for _ in range(HELD):
            attackers.append(held.enter_context(connect(service)))
            attackers[-1].sendall(sent)
            if sent == REQUEST:  # until its response, a connection does not wait for its client
                attackers[-1].recv(1, socket.MSG_PEEK)
            # also keeps the test from connecting faster than a busy machine accepts
            assert request(good).startswith(b"HTTP/1.1 200 ")
        assert httpx.get(f"{service.url}/-/live", timeout=TIMEOUT).status_code == 200
        assert request(good).startswith(b"HTTP/1.1 200 ")
        received = b""
        while chunk := attackers[0].recv(4096):
            received += chunk
        assert received.startswith(answer)
        assert bool(received) == bool(answer)
    assert f"the limit of {BOUND} connections is reached" in (folder / "log").read_text()
