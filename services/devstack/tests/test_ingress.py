"""Requests that the ingress of one machine passes on to the services."""

import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest

from devstack.ingress import configure
from devstack.service_catalog import SERVICES
from servicekit.testing import wait_until
from tests.support.ports import free_port


class Echo(BaseHTTPRequestHandler):
    """A service that returns the target of each request."""

    def do_GET(self) -> None:
        """Return the path and the query."""
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def get(port: int, target: str) -> tuple[int, str]:
    """Return status and body of a GET of ``target``, which is sent as it is."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target)
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
