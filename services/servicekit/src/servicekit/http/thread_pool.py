"""A few threads that work for an event loop: one hop there, and one back.

``concurrent.futures`` and its bridge to asyncio make two futures, with locks and callbacks of both,
for what is here one future and one lock; that was felt in every request.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class TooLateError(Exception):
    """No thread was free in time; what was to be done was not begun, and never will be."""


class Threads(Generic[T]):
    """Threads that are started when they are needed, and not before."""

    def __init__(self, most: int, name: str) -> None:
        """Be ready to start ``most`` threads, each with a ``name`` and a number."""
        self._most = most
        self._name = name
        self._threads: list[threading.Thread] = []
        self._turns: SimpleQueue[_Turn[T] | None] = SimpleQueue()
        self._inside = 0  # those that wait or are being worked at

    async def run(self, work: Callable[[], T], within: float) -> T:
        """Return what ``work`` returns, or raise what it raises; only one loop may call it.

        Raises:
            TooLateError: no thread began with it ``within`` so many seconds.

        """
        loop = asyncio.get_running_loop()
        turn = _Turn(work, loop)
        self._inside += 1
        if self._inside > len(self._threads) < self._most:
            self._start()
        self._turns.put(turn)
        timer = loop.call_later(within, turn.withdraw)
        try:
            return await turn.done
        finally:
            timer.cancel()
            turn.withdraw()  # of a caller who waits no more
            self._inside -= 1

    def stop(self) -> None:
        """Wait for what was begun or waits, and end the threads."""
        for _ in self._threads:
            self._turns.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _start(self) -> None:
        name = f"{self._name}_{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        while (turn := self._turns.get()) is not None:
            turn.take()
            del turn  # a thread that waits keeps nothing of a request


class _Turn(Generic[T]):
    """One piece of work; who gets its lock decides: a thread to do it, the loop to let it be."""

    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[T] = loop.create_future()
        self._work = work
        self._loop = loop
        self._decided = threading.Lock()

    def take(self) -> None:
        """Do the work, if nobody has withdrawn it."""
        if not self._decided.acquire(blocking=False):
            return
        try:
            finish = partial(self._return, self._work())
        except BaseException as error:  # noqa: BLE001 - it is raised to who waits
            finish = partial(self._raise, error)
        with suppress(RuntimeError):  # the loop has ended, and nobody waits
            self._loop.call_soon_threadsafe(finish)

    def withdraw(self) -> None:
        """Let it be, if nobody has begun."""
        if self._decided.acquire(blocking=False) and not self.done.done():
            self.done.set_exception(TooLateError())

    def _return(self, result: T) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def _raise(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)
