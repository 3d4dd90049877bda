"""Whether this process can serve: asked by probes, and by anybody through the health operations."""

import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app

from servicekit.db.database import Database
from servicekit.http.context import database
from servicekit.http.responses import Reply
from servicekit.problems import Unavailable

READY_PATH = "/-/ready"
REMEMBERED = 1.0  # seconds that one answer of the database serves every probe


class Readiness:
    """Green while the database answers and tokens can be checked."""

    def __init__(
        self,
        database: Database,
        *,
        has_keys: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask ``database``, and ``has_keys`` whether tokens can be checked."""
        self._database = database
        self._has_keys = has_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._checked = float("-inf")

    def check(self) -> None:
        """Raise what stands in the way of serving, if anything does."""
        if not self._has_keys():
            msg = "The keys of auth have not been fetched yet"
            raise Unavailable(msg)
        with self._lock:
            if self._clock() - self._checked >= REMEMBERED:
                self._database.ping()
                self._checked = self._clock()


def register(app: Flask, readiness: Readiness) -> None:
    """Serve the readiness probe, on a path that no ingress routes."""

    def ready() -> Any:  # noqa: ANN401 - Flask's response type is a union of everything
        readiness.check()
        return Reply({"msg": "ready"}).answer()

    app.add_url_rule(READY_PATH, view_func=ready)


def healthy() -> dict[str, str]:
    """Answer a health operation: the service is up and its database answers."""
    database().ping()
    return {"msg": f"The {current_app.name} service is healthy"}
