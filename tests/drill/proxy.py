"""A proxy that is put before services and spoils their answers: each of its ports in another way.

It runs in a pod of its own, and needs nothing but the standard library. PLACES maps the first
part of a path to the origin, as JSON; CERTIFICATES is a folder with the files of the TLS ports.
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
DELAY = 60.0  # seconds: longer than any monitor of the drill waits
ORIGIN_PATIENCE = 30.0  # seconds
MARK = "X-Drill"  # the header that names the fault
HOPS = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class Handler(BaseHTTPRequestHandler):
    """Hands a request on to its origin, and spoils what its port is there to spoil."""

    protocol_version = "HTTP/1.1"
    places: dict[str, str]
    fault = ""

    def handle_any(self) -> None:
        """Answer a request of any method."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.fault == "slow":
            time.sleep(DELAY)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
        if self.fault == "token" and "Authorization" in headers:
            headers["Authorization"] = headers["Authorization"].split(" ")[0] + " spoiled"
        status, answered, content = self._ask(headers, body)
        if self.fault == "status":
            status = http.client.INTERNAL_SERVER_ERROR
        if self.fault == "contract" and content:
            content = json.dumps({"spoiled": content.decode(errors="replace")}).encode()
        self._answer(status, answered, content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_: object) -> None:
        """Keep what is asked for to ourselves: paths may name people."""

    def _ask(
        self, headers: dict[str, str], body: bytes
    ) -> tuple[int, Iterable[tuple[str, str]], bytes]:
        origin = urlsplit(self.places[self.path.split("/")[1].split("?")[0]]).netloc
        connection = http.client.HTTPConnection(origin, timeout=ORIGIN_PATIENCE)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOPS:
                self.send_header(name, value)
        self.send_header(MARK, self.fault)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """Takes it as it comes that a caller hangs up, on a slow answer or a wrong certificate."""

    def handle_error(self, *_: object) -> None:
        """Tell of what is wrong here, and of nothing else."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            traceback.print_exc()


def make_server(
    fault: str, port: int, places: dict[str, str], certificates: Path
) -> ThreadingHTTPServer:
    """Return the server of one fault; a port of 0 is a free one."""
    handler = type(fault, (Handler,), {"fault": fault, "places": places})
    server = Server(("", port), handler)
    if fault in TLS_PORTS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / f"{fault}.crt", certificates / f"{fault}.key")
        # the handshake is the handler's thread's: one that never ends must not stop the others
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    return server


def main() -> None:
    """Serve on every port until the pod ends."""
    places = json.loads(os.environ["PLACES"])
    certificates = Path(os.environ["CERTIFICATES"])
    for fault, port in {**PORTS, **TLS_PORTS}.items():
        server = make_server(fault, port, places, certificates)
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
