"""An HTTP proxy on a free port: it forwards requests in absolute form, and opens tunnels."""

import contextlib
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
UNAUTHENTICATED = BAD_GATEWAY.replace(b"502 Bad Gateway", b"407 Proxy Authentication Required")
FORBIDDEN = BAD_GATEWAY.replace(b"502 Bad Gateway", b"403 Forbidden")
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(slots=True)
class HttpProxy:
    """The login that the proxy demands, the targets that it rejects, and its requests."""

    login: str = ""  # user:password
    forbids: bool = False
    port: int = 0
    lines: list[str] = field(default_factory=list)  # the first line of each request

    def url(self, login: str = "") -> str:
        """Return the URL of the proxy with a login."""
        return f"http://{login}{'@' if login else ''}127.0.0.1:{self.port}"


@contextmanager
def run_http_proxy(proxy: HttpProxy) -> Iterator[HttpProxy]:
    """Run a proxy while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]
        thread = threading.Thread(target=_accept, args=(listener, proxy), daemon=True)
        thread.start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener: socket.socket, proxy: HttpProxy) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, proxy), daemon=True).start()


def _serve(connection: socket.socket, proxy: HttpProxy) -> None:
    with contextlib.suppress(OSError), connection:
        data = b""
        while b"\r\n\r\n" not in data:
            data += (chunk := connection.recv(65536))
            if not chunk:
                return
        head, _, rest = data.partition(b"\r\n\r\n")
        line, *headers = head.decode("latin-1").split("\r\n")
        proxy.lines.append(line)
        refusal = _refusal(proxy, headers)
        if refusal:
            connection.sendall(refusal)
        else:
            _forward(connection, line, headers, rest)


def _refusal(proxy: HttpProxy, headers: list[str]) -> bytes:
    login = f"Proxy-Authorization: Basic {b64encode(proxy.login.encode()).decode()}"
    if proxy.login and login not in headers:
        return UNAUTHENTICATED
    return FORBIDDEN if proxy.forbids else b""


def _forward(connection: socket.socket, line: str, headers: list[str], rest: bytes) -> None:
    method, target, version = line.split(" ")
    is_tunnel = method == "CONNECT"
    parts = urlsplit(f"//{target}" if is_tunnel else target)
    try:
        upstream = socket.create_connection((parts.hostname, parts.port or 80))
    except OSError:
        connection.sendall(BAD_GATEWAY)
        return
    with upstream:
        if is_tunnel:
            connection.sendall(OPENED)
        else:
            path = parts._replace(scheme="", netloc="").geturl() or "/"
            kept = [each for each in headers if not each.startswith("Proxy-")]
            lines = [f"{method} {path} {version}", *kept, "Connection: close", "", ""]
            upstream.sendall("\r\n".join(lines).encode("latin-1"))
        upstream.sendall(rest)
        back = threading.Thread(target=partial(_copy, upstream, connection), daemon=True)
        back.start()
        _copy(connection, upstream)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
