"""Connections that are lent: kept ready, waited for not long, tried by one while all hangs."""

import select
from threading import Lock, RLock
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from servicekit.db import timeouts
from servicekit.db.timeouts import NoAnswerError
from servicekit.problems import Unavailable


class Trials:
    """Lets a single caller try whether a database that hangs is back; the others need not wait.

    One that refuses connections is no such case: it is asked by all, and refuses at once.
    """

    def __init__(self) -> None:
        """Let everybody in."""
        self._silent = False  # the last answer that was waited for did not come
        self._lock = RLock()  # who listens on one connection writes on another

    def begin(self) -> bool:
        """Return whether the caller is the one who tries.

        Raises:
            Unavailable: somebody else tries already.

        """
        if not self._silent:
            return False
        if not self._lock.acquire(blocking=False):
            raise Unavailable
        return True

    def end(self, *, trying: bool, error: BaseException | None) -> None:
        """Note how it went."""
        if error is None:
            self._silent = False
        elif isinstance(error, DBAPIError):
            self._silent = isinstance(error.orig, NoAnswerError)
        if trying:
            self._lock.release()


class Watch:
    """Tells at once whether the server has closed a connection while nobody used it.

    The server speaks first only to say goodbye, so a socket with something to read is one to
    leave. It costs microseconds; SQLAlchemy's own ping is a statement and a round trip.
    """

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - psycopg2's
        """Look at a connection of the driver's."""
        self._driver = driver
        self._poll = select.poll()
        if not driver.closed:
            self._poll.register(driver, select.POLLIN)

    def was_closed(self) -> bool:
        """Tell whether the connection is of no use any more."""
        return bool(self._driver.closed or self._poll.poll(0))


class _Kept:
    """A connection of SQLAlchemy's, and who watches it."""

    __slots__ = ("connection", "watch")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.watch = Watch(connection.connection.driver_connection)


class Stock:
    """Connections that stay out of SQLAlchemy's pool between two loans.

    To take one out of the pool and to put it back takes a seventh of what a fetch does. The pool
    still decides how many there are, and who waits for one waits there; then none stays here.
    """

    def __init__(self, engine: Engine) -> None:
        """Take from the pool of ``engine``; nothing is taken before it is needed."""
        self._engine = engine
        self._ready: list[_Kept] = []
        self._waiting = 0  # callers at the pool
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many are here."""
        return len(self._ready)

    def take(self) -> _Kept:
        """Return a connection that the server has not closed; raises what the pool does."""
        while (kept := self._any_ready()) is not None:
            if not kept.watch.was_closed():
                return kept
            kept.connection.invalidate()
            kept.connection.close()
        try:
            return _Kept(self._engine.connect())
        finally:
            with self._lock:
                self._waiting -= 1

    def put_back(self, kept: _Kept, *, is_sound: bool) -> None:
        """Keep a connection, if it is sound and nobody waits at the pool; else the pool gets it."""
        with self._lock:
            stays = is_sound and not self._waiting
            if stays:
                self._ready.append(kept)
        if not stays:
            kept.connection.close()

    def clear(self) -> None:
        """Give all that is here to the pool."""
        while self._ready:
            self._ready.pop().connection.close()

    def _any_ready(self) -> _Kept | None:
        with self._lock:
            if self._ready:
                return self._ready.pop()
            self._waiting += 1
            return None


class Loan:
    """A connection that is lent for as long as a ``with`` lasts.

    Each request has one: as generators, its steps took nearly as long as the pool did.
    """

    def __init__(
        self, stock: Stock, trials: Trials, *, connect_within: float, answer_within: float
    ) -> None:
        """Lend of a ``stock``; wait so many seconds for a new connection, and for each answer."""
        self._stock, self._trials = stock, trials
        self._connect_within, self._answer_within = connect_within, answer_within

    def __enter__(self) -> Connection:
        """Return the connection.

        Raises:
            Unavailable: the database hangs, and somebody else is trying already.

        """
        self._trying = self._trials.begin()
        self._patience = timeouts.limit(self._connect_within)
        try:
            self._kept = self._stock.take()
        except BaseException as error:
            self._end(error)
            raise
        timeouts.limit(self._answer_within)
        return self._kept.connection

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """Put the connection back."""
        connection = self._kept.connection
        is_sound = error is None and not connection.invalidated and not connection.closed
        try:
            self._stock.put_back(self._kept, is_sound=is_sound)
        except BaseException as failure:
            self._end(failure)
            raise
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        timeouts.limit(self._patience)
        self._trials.end(trying=self._trying, error=error)
