"""Questions to other services over HTTP, several at the same time, without a thread each.

A question is sent before the answer to another is read, on connections that stay open.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from threading import Lock
from typing import Any

import orjson

from servicekit.http.client import HttpClientError, HttpConnection, Origin
from servicekit.problems import Unavailable

TIMEOUT = 1.0  # seconds in which all that is asked at once must be answered
ATTEMPTS = 2
# a token that this service has accepted is refused only while the keys of the two differ
NOT_NOW = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}

log = logging.getLogger(__name__)


class Peer:
    """A service that is asked."""

    def __init__(self, name: str, base_url: str) -> None:
        """Call it ``name`` in errors and logs, and find it at ``base_url``."""
        self.name = name
        self.failing = False  # it did not answer the last question
        self._origin = Origin.from_url(base_url)
        self._idle: list[HttpConnection] = []
        self._trial = Lock()

    def take(self) -> HttpConnection:
        """Return a connection that nobody else uses, open or yet to be opened."""
        while self._idle:
            with suppress(IndexError):  # another thread took the last one
                connection = self._idle.pop()
                if connection.is_open():
                    return connection
                connection.close()
        return HttpConnection(self._origin)

    def give_back(self, connection: HttpConnection) -> None:
        """Keep a connection for the next question."""
        self._idle.append(connection)

    @contextmanager
    def one_at_a_time_while_failing(self) -> Iterator[None]:
        """Let a single caller try whether a failing service is back, so that few wait for it.

        Raises:
            Unavailable: it is failing, and another caller is trying.

        """
        trying = self.failing
        if trying and not self._trial.acquire(blocking=False):
            raise self.unavailable()
        try:
            yield
        finally:
            if trying:
                self._trial.release()

    def unavailable(self) -> Unavailable:
        """Return the error that says so."""
        return Unavailable(f"The {self.name} service does not answer now; try again shortly")

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()


class Question:
    """A GET to a peer, and its answer once there is one."""

    def __init__(self, peer: Peer, path: str) -> None:
        """Ask ``peer`` for ``path``."""
        self.peer = peer
        self.status: int | None = None
        self.answer: Any = None
        self._path = path
        self._connection: HttpConnection | None = None

    def send(self, headers: Mapping[str, str], deadline: float) -> None:
        """Send it; without success there will be no answer."""
        connection = self.peer.take()
        try:
            connection.send(self._path, headers, deadline)
        except HttpClientError as error:
            self._failed(error)
        else:
            self._connection = connection

    def receive(self, deadline: float) -> None:
        """Read the answer, if it is one."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            answer = connection.receive(deadline)
            body = orjson.loads(answer.body)
        except (HttpClientError, orjson.JSONDecodeError) as error:
            connection.close()
            self._failed(error)
            return
        self.peer.give_back(connection)
        if answer.status in NOT_NOW or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("%s answered %s", self.peer.name, answer.status)
            return
        self.status, self.answer = answer.status, body

    def _failed(self, why: Exception) -> None:
        log.warning("%s did not answer: %s", self.peer.name, why)


def ask(questions: Sequence[Question], headers: Mapping[str, str]) -> None:
    """Ask all at the same time, and those that were not answered once more.

    Raises:
        Unavailable: one has no answer even so.

    """
    for _ in range(ATTEMPTS):
        deadline = time.monotonic() + TIMEOUT
        unanswered = [question for question in questions if question.status is None]
        for question in unanswered:
            question.send(headers, deadline)
        for question in unanswered:
            question.receive(deadline)
    for question in questions:
        question.peer.failing = question.status is None
    for question in questions:
        if question.status is None:
            raise question.peer.unavailable()
