"""Readiness probe and health operation."""

import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app

from servicekit.db.database import Database
from servicekit.http.context import database, instance
from servicekit.http.responses import Result
from servicekit.problems import Unavailable

READY_PATH = "/-/ready"
INSTANCE_HEADER = "Cadastro-Instance"
CACHE_TTL = 1.0  # seconds that a successful ping of the database serves every probe


class Readiness:
    """Readiness of a process: the database responds and the keys for tokens are loaded."""

    def __init__(
        self,
        database: Database,
        *,
        keys_loaded: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Check ``database`` and ``keys_loaded``."""
        self._database = database
        self._keys_loaded = keys_loaded
        self._clock = clock
        self._lock = threading.Lock()
        self._checked_at = float("-inf")

    def check(self) -> None:
        """Raise the error that makes this process not ready, if there is one."""
        if not self._keys_loaded():
            raise Unavailable("The keys of auth have not been fetched yet")
        with self._lock:
            if self._clock() - self._checked_at >= CACHE_TTL:
                self._database.ping()
                self._checked_at = self._clock()


def register(app: Flask, readiness: Readiness) -> None:
    """Serve the readiness probe on a path that the ingress does not route."""

    def ready() -> Any:  # noqa: ANN401 - Flask's response type is a wide union
        readiness.check()
        return Result({"msg": "ready"}).to_response()

    app.add_url_rule(READY_PATH, view_func=ready)


def healthy() -> Result:
    """Return the result of a health operation after a ping of the database.

    A header names the instance, so that a monitor detects a response of another release.
    """
    database().ping()
    headers = {INSTANCE_HEADER: name} if (name := instance()) else {}
    return Result({"msg": f"The {current_app.name} service is healthy"}, headers=headers)
