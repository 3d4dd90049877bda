"""Questions to other services over HTTP, several at the same time, without a thread each.

A question is sent before the answer to another is read, on connections that stay open. The
standard library's client does it in about a tenth of the time that httpx takes, and an addition
asks twice.
"""

import logging
import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import orjson

from servicekit.errors import Unavailable

TIMEOUT = 1.0  # seconds in which all that is asked at once must be answered
ATTEMPTS = 2
# a token that this service has accepted is refused only while the keys of the two differ
NOT_NOW = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
LARGEST = 65_536  # bytes of an answer

log = logging.getLogger(__name__)


class Peer:
    """A service that is asked."""

    def __init__(self, name: str, base_url: str) -> None:
        """Call it ``name`` in errors and logs, and find it at ``base_url``."""
        parts = urlsplit(base_url)
        self.name = name
        self.path = parts.path
        self.failing = False  # it did not answer the last question
        self._connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._address = parts.netloc
        self._idle: list[HTTPConnection] = []
        self._trial = Lock()

    def take(self) -> HTTPConnection:
        """Return a connection that nobody else uses, open or yet to be opened."""
        while self._idle:
            with suppress(IndexError):  # another thread took the last one
                connection = self._idle.pop()
                if _is_open(connection):
                    return connection
                connection.close()
        return self._connect(self._address)

    def give_back(self, connection: HTTPConnection) -> None:
        """Keep a connection for the next question."""
        if connection.sock is not None:
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
        self._path = peer.path + path
        self._connection: HTTPConnection | None = None

    def send(self, headers: Mapping[str, str], timeout: float) -> None:
        """Send it; without success there will be no answer."""
        connection = self.peer.take()
        connection.timeout = timeout
        try:
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            connection.request("GET", self._path, headers=dict(headers))
        except (OSError, HTTPException) as error:
            self._failed(connection, type(error).__name__)
        else:
            self._connection = connection

    def receive(self, timeout: float) -> None:
        """Read the answer, if it is one."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.sock.settimeout(timeout)
            response = connection.getresponse()
            body = response.read(LARGEST)
            if not response.isclosed():
                self._failed(connection, "an answer that is too large")
                return
            answer = orjson.loads(body)
        except (OSError, HTTPException, ValueError) as error:
            self._failed(connection, type(error).__name__)
            return
        self.peer.give_back(connection)
        if response.status in NOT_NOW or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("%s answered %s", self.peer.name, response.status)
            return
        self.status, self.answer = response.status, answer

    def _failed(self, connection: HTTPConnection, why: str) -> None:
        connection.close()
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
            question.send(headers, _left(deadline))
        for question in unanswered:
            question.receive(_left(deadline))
    for question in questions:
        question.peer.failing = question.status is None
    for question in questions:
        if question.status is None:
            raise question.peer.unavailable()


def _is_open(connection: HTTPConnection) -> bool:
    """Tell whether the other side has kept it open; before a question it says nothing else."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)
