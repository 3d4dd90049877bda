"""Webhook that keeps the notifications of a drill: POST adds one, GET returns all of them.

It runs in the pod of the proxy, with the standard library alone.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 8090


class Handler(BaseHTTPRequestHandler):
    """Keeps bodies in memory, in the order of their arrival."""

    notifications: list[Any]

    def do_POST(self) -> None:
        """Add a notification."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.notifications.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        """Return the notifications."""
        content = json.dumps(self.notifications).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main() -> None:
    """Serve until the pod ends."""
    handler = type("Receiver", (Handler,), {"notifications": []})
    ThreadingHTTPServer(("", PORT), handler).serve_forever()


if __name__ == "__main__":
    main()
