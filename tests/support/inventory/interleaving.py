"""Execution of two database transactions in a given order of their statements."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from servicekit.testing import TIMEOUT

Work = Callable[[Connection], object]

_BLOCKED = text("SELECT cardinality(pg_blocking_pids(:pid)) > 0")


class SteppedTransaction:
    """A transaction that pauses before each statement and before the commit."""

    def __init__(self, engine: Engine, monitor: Connection, work: Work) -> None:
        """Run ``work`` in a transaction; ``monitor`` is a connection that detects blocking."""
        self._engine = engine
        self._monitor = monitor
        self._work = work
        self._permits = threading.Semaphore(0)
        self._changed = threading.Event()  # set after each pause and at the end
        self._pauses = 0
        self._steps = 0
        self._pid = 0
        self._future: Future[object] = Future()
        threading.Thread(target=self._run, daemon=True).start()
        self.wait_until_settled()

    @property
    def is_over(self) -> bool:
        """True after the end of the transaction."""
        return self._future.done()

    def step(self) -> None:
        """Run one statement; do nothing while the previous one is blocked by a lock."""
        if self.is_over or self._pauses == self._steps:
            return
        self._steps += 1
        self._permits.release()
        self.wait_until_settled()

    def result(self) -> object:
        """Return the result of the work, or its exception."""
        return self._future.exception() or self._future.result()

    def wait_until_settled(self) -> None:
        """Wait until the transaction pauses, ends, or is blocked by a lock."""
        deadline = time.monotonic() + TIMEOUT
        while not (self.is_over or self._pauses > self._steps):
            if not self._changed.wait(0.005) and self._is_blocked():
                return
            self._changed.clear()
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
            self._future.set_result(result)
        except Exception as error:  # noqa: BLE001 - it is the result
            self._future.set_exception(error)
        self._changed.set()

    def _pause(self, *_: Any) -> None:
        self._pauses += 1
        self._changed.set()
        if not self._permits.acquire(timeout=TIMEOUT):
            raise TimeoutError("no step was requested")


def interleavings(first: int, second: int) -> Iterator[tuple[int, ...]]:
    """Yield every order of ``first`` steps of session 0 and ``second`` steps of session 1."""
    total = first + second
    for places in itertools.combinations(range(total), first):
        yield tuple(0 if place in places else 1 for place in range(total))


def run_interleaved(
    sessions: tuple[SteppedTransaction, SteppedTransaction], order: tuple[int, ...]
) -> list[object]:
    """Run the steps in an order, then both sessions to their end; return the results."""
    for number in order:
        sessions[number].step()
    while not all(session.is_over for session in sessions):
        for session in sessions:
            session.step()
            session.wait_until_settled()  # a lock of the other one may be released
    return [session.result() for session in sessions]
