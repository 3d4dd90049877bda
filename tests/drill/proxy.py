"""Proxy that injects a fault into the responses of services; each of its ports has one fault.

It runs in a separate pod, with the standard library alone. UPSTREAMS maps the first segment of a
path to the origin, as JSON; CERTIFICATES is a folder with the files of the TLS ports.
"""

import http.client
import json
import os
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

PORTS = {"slow": 8001, "status": 8002, "contract": 8003, "token": 8004}
TLS_PORTS = {"tls": 8443, "tls-wrong": 8444}  # with the certificates of these names
DELAY_SECONDS = 60.0  # longer than the timeout of any monitor of the drill
ORIGIN_TIMEOUT_SECONDS = 30.0
FAULT_HEADER = "X-Drill"  # it names the fault
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class Handler(BaseHTTPRequestHandler):
    """Forwards requests to their origin, and injects the fault of its port."""

    protocol_version = "HTTP/1.1"
    upstreams: dict[str, str]
    fault = ""

    def handle_any(self) -> None:
        """Handle a request of any method."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.fault == "slow":
            time.sleep(DELAY_SECONDS)
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP
        }
        if self.fault == "token" and "Authorization" in headers:
            headers["Authorization"] = headers["Authorization"].split(" ")[0] + " spoiled"
        status, received, content = self._forward(headers, body)
        if self.fault == "status":
            status = http.client.INTERNAL_SERVER_ERROR
        if self.fault == "contract" and content:
            content = json.dumps({"spoiled": content.decode(errors="replace")}).encode()
        self._respond(status, received, content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_: object) -> None:
        """Log nothing: paths may contain personal data."""

    def _forward(
        self, headers: dict[str, str], body: bytes
    ) -> tuple[int, Iterable[tuple[str, str]], bytes]:
        origin = urlsplit(self.upstreams[self.path.split("/")[1].split("?")[0]]).netloc
        connection = http.client.HTTPConnection(origin, timeout=ORIGIN_TIMEOUT_SECONDS)
        try:
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _respond(self, status: int, headers: Iterable[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header(FAULT_HEADER, self.fault)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """Ignores clients that close the connection after a timeout or a certificate error."""

    def handle_error(self, *_: object) -> None:
        """Print the traceback of every other error."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            traceback.print_exc()


def make_server(
    fault: str, port: int, upstreams: dict[str, str], certificates: Path
) -> ThreadingHTTPServer:
    """Return the server of one fault; port 0 selects a free port."""
    handler = type(fault, (Handler,), {"fault": fault, "upstreams": upstreams})
    server = Server(("", port), handler)
    if fault in TLS_PORTS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / f"{fault}.crt", certificates / f"{fault}.key")
        # handshake in the handler's thread, so that an unfinished one blocks no other client
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    return server


def main() -> None:
    """Serve on every port until the pod ends."""
    upstreams = json.loads(os.environ["UPSTREAMS"])
    certificates = Path(os.environ["CERTIFICATES"])
    for fault, port in {**PORTS, **TLS_PORTS}.items():
        server = make_server(fault, port, upstreams, certificates)
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
