"""Client for JSON Web Key Sets: request target and invalid responses."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from servicekit.auth.jwks import JwksClient
from servicekit.problems import Unavailable
from servicekit.testing import wait_until


@contextmanager
def publisher(status: int, body: bytes) -> Iterator[tuple[str, list[str]]]:
    """Send this response to every GET; yield the base URL and the requested targets."""
    targets: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            targets.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Do not log requests."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", targets
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("target", ["/", "/?realm=live", "/users/jwks.json", "/keys?realm=live"])
def test_fetches_the_complete_url(target: str) -> None:
    with publisher(200, b'{"keys": []}') as (base, targets):
        keys = JwksClient(base + target, refresh=60)
        keys.start()
        wait_until(lambda: bool(targets), "a request for the key set")
        keys.stop()
    assert targets[0] == target


@pytest.mark.parametrize(
    ("status", "body", "logged"),
    [
        (503, b"{}", "status 503"),
        (302, b"{}", "status 302"),
        (200, b"not JSON", "JSONDecodeError"),
        (200, b"[]", "TypeError"),
        (200, b'{"keys": [{"kid": "a", "kty": "oct", "k": "c2VjcmV0"}]}', "Error"),
        (200, b'{"keys": []}', "empty"),
    ],
)
def test_logs_an_invalid_key_set_and_loads_no_key(
    status: int, body: bytes, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    with publisher(status, body) as (base, _), caplog.at_level(logging.WARNING):
        keys = JwksClient(f"{base}/users/jwks.json", refresh=60)
        keys.start()
        wait_until(lambda: logged in caplog.text, "the warning")
        keys.stop()
    assert not keys.is_loaded
    with pytest.raises(Unavailable):
        keys.get("a")
