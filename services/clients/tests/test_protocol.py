"""The HTTP protocol under gunicorn: interim responses and logs."""

import json
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from servicekit.testing import FakeIssuer, GunicornServer, gunicorn_server, peer_settings

pytestmark = pytest.mark.covers_subprocesses

TIMEOUT = 10.0  # seconds
CREATE = b"POST /clients/create HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"


def exchange(service: GunicornServer, request: bytes) -> bytes:
    """Return the response to a request after which the server closes the connection."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), TIMEOUT) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def uvicorn_lines(log: Path) -> list[dict[str, str]]:
    """Return the lines that uvicorn has logged, once there are any."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        if found := [line for line in lines if line["logger"] == "uvicorn.error"]:
            return found
        time.sleep(0.05)
    return []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_http_1_0_gets_no_interim_response_and_uvicorn_logs_json(
    database_url: str, issuer: FakeIssuer, tmp_path: Path, workers: str
) -> None:
    settings = peer_settings(issuer, database_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")
    log = tmp_path / "log"
    with gunicorn_server("clients", {**settings, "WORKERS": workers}, log=log) as service:
        assert exchange(service, CREATE).startswith(b"HTTP/1.1 401 ")
        assert exchange(service, b"FOO / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 501 ")
        line = uvicorn_lines(log)[-1]
    assert line["level"] == "WARNING"
    assert line["event"] == "Invalid HTTP request received."
