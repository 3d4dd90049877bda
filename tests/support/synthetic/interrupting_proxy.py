"""A proxy between a probe and a system that runs an action at a chosen request."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from itertools import count
from urllib.parse import urlsplit

from servicekit.testing import StubHandler

HOP_BY_HOP_HEADERS = {"connection", "transfer-encoding", "content-length", "server", "date"}


@contextmanager
def interrupting_proxy(upstream: str, at: int, act: Callable[[], None]) -> Iterator[str]:
    """Forward requests to ``upstream``; call ``act`` after the response to request ``at``.

    The proxy returns the response after ``act``. The request has therefore taken effect, and a
    client that ``act`` kills never receives the response.
    """
    numbers = count(1)

    class Handler(StubHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            number = next(numbers)
            connection = HTTPConnection(urlsplit(upstream).netloc, timeout=30)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection.request(self.command, self.path, body, dict(self.headers))
            response = connection.getresponse()
            content = response.read()
            connection.close()
            if number == at:
                act()
            self.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in HOP_BY_HOP_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _forward

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
