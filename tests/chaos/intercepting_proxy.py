"""A gate between a relay and the inventory: a call waits there until it is let through."""

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds


class Gate:
    """Takes one call at a time, passes it on, and gives the answer back, each when it is told."""

    def __init__(self, target: str) -> None:
        """Stand before the base URL ``target``."""
        parts = urlsplit(target)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._caller: socket.socket | None = None

    def __enter__(self) -> Self:
        """Open it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close it; who waits there is cut off."""
        if self._caller is not None:
            self._caller.close()
        self._listener.close()

    def take(self) -> bytes:
        """Wait for a call, and return it."""
        self._caller, _ = self._listener.accept()
        self._caller.settimeout(PATIENCE)
        return _message(self._caller)

    def forward(self, call: bytes) -> bytes:
        """Pass a call on, and return the answer."""
        with socket.create_connection(self._target, PATIENCE) as target:
            target.sendall(call)
            return _message(target)

    def answer(self, answer: bytes) -> None:
        """Give an answer back to who called."""
        if self._caller is not None:
            self._caller.sendall(answer)


def _message(peer: socket.socket) -> bytes:
    """Read one HTTP/1.1 message whose length its head tells."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(peer)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":", 1)[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < sum(lengths):
        body += _more(peer)
    return head + b"\r\n\r\n" + body


def _more(peer: socket.socket) -> bytes:
    chunk = peer.recv(65_536)
    if not chunk:
        message = "the connection ended in the middle of a message"
        raise ConnectionError(message)
    return chunk
