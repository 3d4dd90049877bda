"""Stand-ins for the services that own clients and products: they keep to the contract, until told.

A test may script what they do instead: fail, hang, hang up or talk nonsense.
"""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import jwt

from servicekit.testing import StandIn

HOLD = "hold"  # answer only once released
HANG_UP = "hang up"  # close the connection instead
NONSENSE = "nonsense"  # something that no contract knows
CLOSE = "close"  # answer, and then close the connection without a word

_ids = itertools.count(1)


class Owner:
    """A service that owns ``kind``: clients or products."""

    def __init__(self, kind: str) -> None:
        """Own nothing yet."""
        self.kind = kind
        self.requests: list[dict[str, str]] = []  # the headers of each
        self.held = 0  # requests that wait to be released
        self._doing: int | str | None = None
        self._times = 0
        self._released = threading.Event()
        self._names: dict[tuple[str, int], str] = {}
        self._connections: set[Any] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def make(self, name: str = "Teclado", realm: str = "live") -> int:
        """Make one, and return its id, which nothing else has, as in a database."""
        identifier = next(_ids)
        self._names[realm, identifier] = name
        return identifier

    def delete(self, identifier: int) -> None:
        """Delete one."""
        for realm in ("live", "synthetic"):
            self._names.pop((realm, identifier), None)

    def rename(self, identifier: int, name: str) -> None:
        """Give a live one another name."""
        self._names["live", identifier] = name

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of the answer to ``exists``."""
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
    def doing(self, what: int | str, times: int = 1_000_000) -> Iterator[None]:
        """Do this with so many of the requests that come meanwhile."""
        self._released.clear()
        self._doing, self._times = what, times
        try:
            yield
        finally:
            self.be_well()

    def be_well(self) -> None:
        """Answer as one should, from now on, and release what is held."""
        self._doing = None
        self._released.set()

    def next_step(self) -> int | str | None:
        """Return what to do with a request that has come."""
        self._times -= 1
        return self._doing if self._times >= 0 else None

    def hold(self) -> None:
        """Wait to be released."""
        self.held += 1
        self._released.wait(10)
        self.held -= 1

    def __enter__(self) -> Self:
        """Start to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.be_well()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(StandIn):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                owner.requests.append(dict(self.headers))
                what = owner.next_step()
                if what == HOLD:
                    owner.hold()
                if what in {HOLD, HANG_UP}:
                    self.close_connection = True
                    return
                status, body = owner.answer(self.path, self.headers.get("Authorization", ""))
                if isinstance(what, int):
                    status, body = _problem(what)
                self.answer(status, b"<html>" if what == NONSENSE else body)
                self.close_connection = what == CLOSE

        return Handler


def _problem(status: int) -> tuple[int, dict[str, Any]]:
    return status, {"status": status, "msg": "told to"}
