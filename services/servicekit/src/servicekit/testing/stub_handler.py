"""Request handler for stubs of other services: sends JSON and logs nothing."""

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler


class StubHandler(BaseHTTPRequestHandler):
    """Base of request handlers; subclasses implement the methods."""

    def handle(self) -> None:
        """Serve a connection until it ends; ignore disconnected clients."""
        with suppress(ConnectionError):
            super().handle()

    def send_json(self, status: int, document: object) -> None:
        """Send a document as JSON; send bytes unchanged, with the same media type."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Do not log requests."""
