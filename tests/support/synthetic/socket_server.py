"""A server of raw bytes over real sockets, for responses that no HTTP library sends."""

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

Behaviour = Callable[[socket.socket], None]
GOOD = {"id": 1, "name": "Ana"}
HEADERS = {"Content-Type": "application/json", "X-Version": "1"}


@contextmanager
def run_socket_server(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve each connection by ``behave``, which gets it after the request; yield the URL."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve = partial(_serve, behave, tls, stopped)
        thread = threading.Thread(target=_accept, args=(listener, serve), daemon=True)
        thread.start()
        scheme = "https" if tls else "http"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def _serve(
    behave: Behaviour,
    tls: ssl.SSLContext | None,
    stopped: threading.Event,
    connection: socket.socket,
) -> None:
    with (
        contextlib.suppress(OSError),
        connection,
        _with_tls(connection, tls) if tls else connection as secure,
    ):
        data = b""
        while b"\r\n\r\n" not in data:
            data += (chunk := secure.recv(65536))
            if not chunk:
                return
        behave(secure)
        if behave is silent:
            stopped.wait(60)
        elif secure.fileno() >= 0:
            secure.shutdown(socket.SHUT_WR)


def _with_tls(connection: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
    secure = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    try:
        secure.do_handshake()
    except OSError:
        # unread data would reset the connection, and the client would miss the alert
        with socket.socket(fileno=secure.detach()) as plain:
            plain.shutdown(socket.SHUT_WR)
            plain.settimeout(5)
            while plain.recv(65536):
                pass
        raise
    return secure


def send(*pieces: bytes) -> Behaviour:
    """Return a behaviour that sends bytes, and closes the connection."""
    return lambda connection: connection.sendall(b"".join(pieces))


def reply(
    body: object = GOOD, status: str = "200 OK", raw: bytes | None = None, **headers: str | None
) -> Behaviour:
    """Return a behaviour that sends a response; a header without a value is left out.

    The names of headers have underscores in place of hyphens.
    """
    data = json.dumps(body).encode() if raw is None else raw
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    merged = {**HEADERS, "Content-Length": str(len(data)), **named}
    lines = [f"{name}: {value}" for name, value in merged.items() if value is not None]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""])
    return send(head.encode("latin-1"), data)


def gzipped(size: int = 0) -> bytes:
    """Return a compressed body; ``size`` adds as many blanks to it."""
    return gzip.compress(json.dumps(GOOD).encode() + b" " * size, mtime=0)


def silent(_: socket.socket) -> None:
    """Send nothing, and keep the connection."""


def drip(connection: socket.socket) -> None:
    """Send a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    tick = threading.Event()
    while not tick.wait(0.05):
        connection.sendall(b" ")


def continue_forever(connection: socket.socket) -> None:
    """Send interim responses, and no final one."""
    tick = threading.Event()
    while not tick.wait(0.05):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def continue_without_pause(connection: socket.socket) -> None:
    """Send interim responses as fast as the client reads them."""
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def reset_after(data: bytes) -> Behaviour:
    """Return a behaviour that sends bytes, and resets the connection (RST)."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return behave
