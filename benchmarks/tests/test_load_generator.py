"""The load generator counts correctly, and the conformance check rejects another server."""

import itertools
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.drive.invalid_request_cases import TokenSigner
from benchmarks.drive.load_generator import LoadSpec
from benchmarks.drive.parity_check import check
from benchmarks.measure.sample import run_load
from benchmarks.progress import BenchmarkError
from servicekit.testing import wait_until
from tests.support.ports import free_port


@pytest.fixture
def null_server() -> Iterator[int]:
    """The port of a server with a constant response."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.testbed.null_server", str(port)]
    with subprocess.Popen(command) as process:
        try:
            wait_until(lambda: is_open(port), "the null server to listen", timeout=60)
            yield port
        finally:
            process.terminate()


@pytest.fixture
def busy_server() -> Iterator[int]:
    """The port of a server that refuses every second request, with a Retry-After of a second."""
    numbers = itertools.count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open

        def do_GET(self) -> None:
            is_refused = next(numbers) % 2
            self.send_response(503 if is_refused else 200)
            if is_refused:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the output free of access lines."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def is_open(port: int) -> bool:
    """Return True where a process listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def short_load(port: int, connections: int = 2, seconds: float = 0.1) -> LoadSpec:
    """Return a short load."""
    return LoadSpec(
        port=port,
        operation="fetch",
        token="t",
        rows=10,
        connections=connections,
        warmup=0,
        seconds=seconds,
    )


def test_responses_are_counted_by_their_status(null_server: int) -> None:
    result = run_load(short_load(null_server), 0)
    assert result.statuses == {"200": result.requests}
    assert result.served >= result.requests
    assert result.lost == 0


def test_a_refused_connection_waits_for_retry_after_and_has_no_latency(busy_server: int) -> None:
    result = run_load(short_load(busy_server, connections=1, seconds=1.5), 0)
    assert 1 <= result.statuses["503"] <= 2  # thousands without the wait
    assert result.requests == result.statuses["200"]
    assert result.lost == 0


def test_a_server_with_a_constant_response_fails_the_conformance_check(
    null_server: int, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "auth.keys", "new", "--dir", str(tmp_path)], check=True)
    with pytest.raises(BenchmarkError, match="no token"):
        check("null_server", f"http://127.0.0.1:{null_server}", "t", TokenSigner(tmp_path))
