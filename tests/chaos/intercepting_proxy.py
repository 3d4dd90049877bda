"""TCP proxy that holds each HTTP message until the test forwards it."""

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0


class InterceptingProxy:
    """Accepts one request at a time; the test forwards it and returns its response."""

    def __init__(self, target: str) -> None:
        """Listen for requests to the base URL ``target``."""
        parts = urlsplit(target)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_SECONDS)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._client: socket.socket | None = None

    def __enter__(self) -> Self:
        """Return the proxy."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close the listener and the connection of a waiting client."""
        if self._client is not None:
            self._client.close()
        self._listener.close()

    def accept(self) -> bytes:
        """Wait for a request, and return it."""
        self._client, _ = self._listener.accept()
        self._client.settimeout(TIMEOUT_SECONDS)
        return _read_message(self._client)

    def forward(self, request: bytes) -> bytes:
        """Send a request to the target, and return its response."""
        with socket.create_connection(self._target, TIMEOUT_SECONDS) as target:
            target.sendall(request)
            return _read_message(target)

    def respond(self, response: bytes) -> None:
        """Send a response to the waiting client."""
        if self._client is not None:
            self._client.sendall(response)


def _read_message(peer: socket.socket) -> bytes:
    """Read one HTTP/1.1 message with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(peer)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":", 1)[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < sum(lengths):
        body += _receive(peer)
    return head + b"\r\n\r\n" + body


def _receive(peer: socket.socket) -> bytes:
    chunk = peer.recv(65_536)
    if not chunk:
        raise ConnectionError("the connection was closed within a message")
    return chunk
