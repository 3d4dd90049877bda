"""What sends and what checks: the generator counts well, and nobody fools the comparison."""

import itertools
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.drive.conformance import Signer, check
from benchmarks.drive.load_generator import Order
from benchmarks.measure.sample import follow
from benchmarks.progress import BenchError
from devstack.stack import free_ports
from servicekit.testing import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def responder() -> Iterator[int]:
    """The port of the server that does nothing but answer."""
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "benchmarks.testbed.null_server", str(port)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            wait_until(lambda: listens(port), "the responder to listen", patience=60)
            yield port
        finally:
            process.terminate()


@pytest.fixture
def busy() -> Iterator[int]:
    """The port of a server that turns every second request away, for a second."""
    numbers = itertools.count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open

        def do_GET(self) -> None:
            turned_away = next(numbers) % 2
            self.send_response(503 if turned_away else 200)
            if turned_away:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the output free of access lines."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def order(port: int, connections: int = 2, seconds: float = 0.1) -> Order:
    """Return a short order."""
    return Order(
        port=port,
        operation="fetch",
        token="t",
        rows=10,
        connections=connections,
        warmup=0,
        seconds=seconds,
    )


def test_answers_are_counted_by_their_status(responder: int) -> None:
    seen = follow(order(responder), 0)
    assert seen.statuses == {"200": seen.requests}
    assert seen.served >= seen.requests
    assert seen.lost == 0


def test_who_is_turned_away_comes_back_when_told_and_has_no_latency(busy: int) -> None:
    seen = follow(order(busy, connections=1, seconds=1.5), 0)
    assert 1 <= seen.statuses["503"] <= 2  # it would be thousands if it came back at once
    assert seen.requests == seen.statuses["200"]
    assert seen.lost == 0


def test_a_server_that_answers_all_alike_is_not_the_same(responder: int, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "auth.keys", "new", "--dir", str(tmp_path)], check=True)
    with pytest.raises(BenchError, match="no token"):
        check("responder", f"http://127.0.0.1:{responder}", "t", Signer(tmp_path))
