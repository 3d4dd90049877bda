"""Requests that the ingress of one machine passes on to the services, and those it refuses."""

import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Semaphore, Thread
from urllib.parse import parse_qsl, urlsplit

import pytest

import devstack.ingress
from devstack.ingress import configure
from devstack.service_catalog import SERVICES
from servicekit.testing import wait_until
from tests.support.ports import free_port

IN_FLIGHT = 4  # requests of an address; the servers of the standard library serve few
ATTACKER = ("127.0.0.2", 0)
WAITING = Semaphore(0)  # counts requests with a body that have reached the service


class Echo(BaseHTTPRequestHandler):
    """A service that returns the target of each request."""

    def do_GET(self) -> None:
        """Return the path and the query."""
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Wait for the body of 10 bytes, then return the path."""
        WAITING.release()
        self.rfile.read(10)
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def get(port: int, target: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Return status and body of a GET of ``target``, which is sent as it is."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, HTTPException):
        return 0, ""
    finally:
        connection.close()


@pytest.fixture(scope="module")
def ingress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an ingress, behind which one server stands for all services."""
    port, server = free_port(), ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    folder: Path = tmp_path_factory.mktemp("ingress")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devstack.ingress, "MAX_IN_FLIGHT", IN_FLIGHT)
        command = configure(folder, port, dict.fromkeys(SERVICES, server.server_port), free_port())
    with subprocess.Popen(command) as process:
        try:
            wait_until(lambda: get(port, "/products/fetch")[0] == 200, "the ingress to answer")
            yield port
        finally:
            process.terminate()
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("name=a;b", [("name", "a;b")]),
        ("name=a;b&limit=1", [("name", "a;b"), ("limit", "1")]),
        ("limit=1;status=true", [("limit", "1;status=true")]),
        ("name=a%3Bb", [("name", "a;b")]),
        ("name=;", [("name", ";")]),
    ],
)
def test_a_semicolon_in_a_query_reaches_the_service(
    ingress: int, query: str, parameters: list[tuple[str, str]]
) -> None:
    status, target = get(ingress, f"/products/fetch?{query}")
    assert status == 200
    assert parse_qsl(urlsplit(target).query, keep_blank_values=True) == parameters


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (80_000, 431)])
def test_headers_are_bounded_as_at_a_service(ingress: int, size: int, status: int) -> None:
    headers = {f"X-Long-{number}": "a" * (size // 4) for number in range(4)}
    assert get(ingress, "/products/fetch", headers)[0] == status


def test_unfinished_requests_of_an_address_are_bounded(ingress: int) -> None:
    head = b"POST /products/create HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    with ExitStack() as held:
        for _ in range(IN_FLIGHT):
            attacker = socket.create_connection(("127.0.0.1", ingress), 10, ATTACKER)
            held.enter_context(attacker).sendall(head)
            held.callback(attacker.recv, 1000)  # after its body, which the next line sends
            held.callback(attacker.sendall, b"0123456789")
        for _ in range(IN_FLIGHT):
            assert WAITING.acquire(timeout=30)
        assert get(ingress, "/products/fetch")[0] == 200
        with socket.create_connection(("127.0.0.1", ingress), 10, ATTACKER) as further:
            further.sendall(b"GET /products/fetch HTTP/1.1\r\nHost: x\r\n\r\n")
            assert further.recv(100).startswith(b"HTTP/1.1 429 ")
