"""Two transactions, real ones, taken step by step through every order of their statements."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from servicekit.testing import PATIENCE

Work = Callable[[Connection], object]

_BLOCKED = text("SELECT cardinality(pg_blocking_pids(:pid)) > 0")


class Session:
    """A transaction that pauses before each of its statements, and before its end."""

    def __init__(self, engine: Engine, monitor: Connection, work: Work) -> None:
        """Do ``work`` in a transaction of ``engine``; ``monitor`` tells whether it is blocked."""
        self._engine = engine
        self._monitor = monitor
        self._work = work
        self._may_go = threading.Semaphore(0)
        self._news = threading.Event()  # it has paused or ended since somebody looked
        self._pauses = 0
        self._seen = 0
        self._pid = 0
        self._outcome: Future[object] = Future()
        threading.Thread(target=self._run, daemon=True).start()
        self._settle()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._outcome.done()

    def step(self) -> None:
        """Run one statement; nothing happens while the last one waits for the other session."""
        if self.is_over or self._pauses == self._seen:
            return
        self._seen += 1
        self._may_go.release()
        self._settle()

    def finish(self) -> object:
        """Return the outcome of one that is over: what the work returned, or its exception."""
        return self._outcome.exception() or self._outcome.result()

    def _settle(self) -> None:
        """Wait until it pauses, ends, or is blocked by a lock."""
        deadline = time.monotonic() + PATIENCE
        while not (self.is_over or self._pauses > self._seen):
            if not self._news.wait(0.005) and self._is_blocked():
                return
            self._news.clear()
            assert time.monotonic() < deadline, "a statement neither ended nor blocked"

    def _is_blocked(self) -> bool:
        return bool(self._pid and self._monitor.scalar(_BLOCKED, {"pid": self._pid}))

    def _run(self) -> None:
        try:
            with self._engine.connect() as connection:
                self._pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr] # psycopg2's
                event.listen(connection, "before_cursor_execute", self._pause)
                with connection.begin():
                    result = self._work(connection)
                    self._pause()
            self._outcome.set_result(result)
        except Exception as error:  # noqa: BLE001 - it is the outcome
            self._outcome.set_exception(error)
        self._news.set()

    def _pause(self, *_: Any) -> None:
        self._pauses += 1
        self._news.set()
        if not self._may_go.acquire(timeout=PATIENCE):
            message = "nobody let this session go on"
            raise TimeoutError(message)


def orders(first: int, second: int) -> Iterator[tuple[int, ...]]:
    """Return every order of so many steps of session 0 and so many of session 1."""
    total = first + second
    for places in itertools.combinations(range(total), first):
        yield tuple(0 if place in places else 1 for place in range(total))


def play(sessions: tuple[Session, Session], order: tuple[int, ...]) -> list[object]:
    """Take the steps in that order, let both sessions end, and return their outcomes."""
    for number in order:
        sessions[number].step()
    while not all(session.is_over for session in sessions):
        for session in sessions:
            session.step()
            session._settle()  # noqa: SLF001 - one that was blocked may go on now
    return [session.finish() for session in sessions]
