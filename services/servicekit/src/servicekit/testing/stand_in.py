"""What stands in for another service answers over real HTTP: JSON, and not a word in the log."""

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler


class StandIn(BaseHTTPRequestHandler):
    """The handler of a stand-in; what it does with a request is a subclass's."""

    def handle(self) -> None:
        """Serve a connection until it ends, be it by a caller that was killed or would not wait."""
        with suppress(ConnectionError):
            super().handle()

    def answer(self, status: int, document: object) -> None:
        """Send a document as JSON; bytes are sent as they are, and called JSON all the same."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output free of access lines."""
