"""Client for GET requests to other services, with several concurrent requests in one thread.

All requests are sent before the first response is read. Connections are kept open for later calls.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from threading import Lock
from typing import Any

import orjson

from servicekit.http.http_connection import HttpClientError, HttpConnection, Origin
from servicekit.problems import Unavailable

TIMEOUT_SECONDS = 1.0  # of all calls of one attempt
ATTEMPTS = 2
# a 401 for a token that this service has accepted is temporary: the key sets of the two differ
RETRYABLE_STATUSES = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}

log = logging.getLogger(__name__)


class ServiceClient:
    """Connections to one service, and its circuit breaker."""

    def __init__(self, name: str, base_url: str) -> None:
        """Call the service at ``base_url``; errors and logs contain ``name``."""
        self.name = name
        self.is_failing = False  # the last call had no response
        self._origin = Origin.from_url(base_url)
        self._idle: list[HttpConnection] = []
        self._trial = Lock()

    def acquire(self) -> HttpConnection:
        """Return an idle connection, or a new one."""
        while self._idle:
            with suppress(IndexError):  # another thread took the last one
                connection = self._idle.pop()
                if connection.is_open():
                    return connection
                connection.close()
        return HttpConnection(self._origin)

    def release(self, connection: HttpConnection) -> None:
        """Keep a connection for the next call."""
        self._idle.append(connection)

    @contextmanager
    def circuit_breaker(self) -> Iterator[None]:
        """Allow only one call at a time while the service fails, so that few threads wait.

        Raises:
            Unavailable: the service fails, and another thread is calling it.

        """
        is_trial = self.is_failing
        if is_trial and not self._trial.acquire(blocking=False):
            raise self.unavailable()
        try:
            yield
        finally:
            if is_trial:
                self._trial.release()

    def unavailable(self) -> Unavailable:
        """Return the problem that names the service."""
        return Unavailable(f"The {self.name} service does not answer now; try again shortly")

    def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop().close()


class PendingCall:
    """A GET request, and its response once it is received."""

    def __init__(self, client: ServiceClient, path: str) -> None:
        """Prepare a request without sending it."""
        self.client = client
        self.status: int | None = None  # None without a response
        self.body: Any = None
        self._path = path
        self._connection: HttpConnection | None = None

    def send(self, headers: Mapping[str, str], deadline: float) -> None:
        """Send the request, and log a failure."""
        connection = self.client.acquire()
        try:
            connection.send(self._path, headers, deadline)
        except HttpClientError as error:
            self._log_failure(error)
        else:
            self._connection = connection

    def receive(self, deadline: float) -> None:
        """Read the response if the request was sent, and log a failure."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            response = connection.receive(deadline)
            body = orjson.loads(response.body)
        except (HttpClientError, orjson.JSONDecodeError) as error:
            connection.close()
            self._log_failure(error)
            return
        self.client.release(connection)
        status = response.status
        if status in RETRYABLE_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("%s returned %s", self.client.name, status)
            return
        self.status, self.body = status, body

    def _log_failure(self, error: Exception) -> None:
        log.warning("the call to %s failed: %s", self.client.name, error)


def call_all(calls: Sequence[PendingCall], headers: Mapping[str, str]) -> None:
    """Make all calls concurrently, and repeat failed ones once.

    Raises:
        Unavailable: a call has no response.

    """
    for _ in range(ATTEMPTS):
        deadline = time.monotonic() + TIMEOUT_SECONDS
        unanswered = [call for call in calls if call.status is None]
        for call in unanswered:
            call.send(headers, deadline)
        for call in unanswered:
            call.receive(deadline)
    for call in calls:
        call.client.is_failing = call.status is None
    for call in calls:
        if call.status is None:
            raise call.client.unavailable()
