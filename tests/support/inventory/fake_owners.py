"""Fake clients and products services, with fault injection."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt

from servicekit.testing import StubHandler

HOLD = "hold"  # wait for ``recover``, then close the connection
DROP = "drop"  # close the connection without a response
INVALID_BODY = "invalid body"  # respond with HTML
CLOSE_AFTER_RESPONSE = "close"  # without ``Connection: close``

_ids = itertools.count(1)


class FakeOwner:
    """A fake clients or products service."""

    def __init__(self, kind: str) -> None:
        """Create a service without objects; ``kind`` is its name."""
        self.kind = kind
        self.requests: list[dict[str, str]] = []  # the headers of each
        self.held = 0  # requests that wait for ``recover``
        self._fault: int | str | None = None
        self._fault_count = 0
        self._released = threading.Event()
        self._names: dict[tuple[str, int], str] = {}
        self._connections: set[Any] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def create(self, name: str = "Teclado", realm: str = "live") -> int:
        """Create an object, and return its unique id."""
        identifier = next(_ids)
        self._names[realm, identifier] = name
        return identifier

    def delete(self, identifier: int) -> None:
        """Delete an object."""
        for realm in ("live", "synthetic"):
            self._names.pop((realm, identifier), None)

    def rename(self, identifier: int, name: str) -> None:
        """Rename an object of the live realm."""
        self._names["live", identifier] = name

    def respond(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of a response of ``exists``."""
        if not authorization.startswith("Bearer "):
            return _problem(401)
        claims = jwt.decode(authorization[7:], options={"verify_signature": False})
        if not {f"{self.kind}:read", f"{self.kind}:exists"} & set(claims["scope"].split()):
            return _problem(403)
        name = self._names.get((claims["realm"], int(path.rpartition("/")[2])))
        if name is None:
            return 200, {"status": False}
        named = {"product_name": name} if self.kind == "products" else {}
        return 200, {"status": True, **named}

    @contextmanager
    def injecting(self, fault: int | str, times: int = 1_000_000) -> Iterator[None]:
        """Apply a fault, or an HTTP status, to the next ``times`` requests of the block."""
        self._released.clear()
        self._fault, self._fault_count = fault, times
        try:
            yield
        finally:
            self.recover()

    def recover(self) -> None:
        """Stop the injection, and release held requests."""
        self._fault = None
        self._released.set()

    def next_fault(self) -> int | str | None:
        """Return the fault of the next request, if any."""
        self._fault_count -= 1
        return self._fault if self._fault_count >= 0 else None

    def hold(self) -> None:
        """Wait for ``recover``."""
        self.held += 1
        self._released.wait(10)
        self.held -= 1

    def __enter__(self) -> Self:
        """Start the server."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.recover()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(StubHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                owner.requests.append(dict(self.headers))
                fault = owner.next_fault()
                if fault == HOLD:
                    owner.hold()
                if fault in {HOLD, DROP}:
                    self.close_connection = True
                    return
                status, body = owner.respond(self.path, self.headers.get("Authorization", ""))
                if isinstance(fault, int):
                    status, body = _problem(fault)
                self.send_json(status, b"<html>" if fault == INVALID_BODY else body)
                self.close_connection = fault == CLOSE_AFTER_RESPONSE

        return Handler


def _problem(status: int) -> tuple[int, dict[str, Any]]:
    return status, {"status": status, "msg": "injected"}
