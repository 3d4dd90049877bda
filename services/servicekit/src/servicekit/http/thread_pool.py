"""Thread pool for an event loop, with one hand-over in each direction.

``concurrent.futures`` with asyncio's wrapper creates two futures with locks and callbacks for each
call; this pool needs one future and one lock, which is a measurable part of a request.
"""

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeVar

SHARE = 0.25  # of the threads, for each of several active sources
ACTIVE_SECONDS = 1.0  # since its last work, in which a source is active

T = TypeVar("T")


class QueueTimeout(Exception):
    """No thread was free in time; the work was not started and never will be."""


class ThreadPool(Generic[T]):
    """Threads that are started on demand, and take turns among the sources of work.

    While several sources are active, each may use a share of the threads. So a source with much
    work neither queues before the others, nor competes with them on all threads for the
    interpreter's lock.
    """

    def __init__(self, max_threads: int, name: str) -> None:
        """Allow up to ``max_threads`` threads, named ``name`` with a number."""
        self._max_threads = max_threads
        self._name = name
        self._threads: list[threading.Thread] = []
        self._queued: SimpleQueue[bool] = SimpleQueue()  # True for each item, False to end
        self._items: dict[str, deque[_WorkItem[T]]] = {}  # by source; the next one is the first
        self._running: Counter[str] = Counter()  # items by source
        self._held = 0  # items taken out of ``_queued`` while their source used its share
        self._last_work: dict[str, float] = {}  # times by active source; the oldest one first
        self._items_lock = threading.Lock()
        self._pending = 0  # queued and running items

    async def run(self, work: Callable[[], T], queue_timeout: float, source: str = "") -> T:
        """Return the result of ``work`` or raise its error; call it from one loop only.

        Work without a source has no share, and does not reduce those of others.

        Raises:
            QueueTimeout: no thread started it within ``queue_timeout`` seconds.

        """
        loop = asyncio.get_running_loop()
        item = _WorkItem(work, loop)
        self._pending += 1
        if self._pending > len(self._threads) < self._max_threads:
            self._start_thread()
        with self._items_lock:
            if source:
                self._note_active(source)
            self._items.setdefault(source, deque()).append(item)
        self._queued.put(True)  # noqa: FBT003 - see the comment of the queue
        timer = loop.call_later(queue_timeout, item.cancel)
        try:
            return await item.future
        finally:
            timer.cancel()
            item.cancel()  # in case the caller was cancelled
            self._pending -= 1

    def stop(self) -> None:
        """Finish the queued items and end the threads."""
        for _ in self._threads:
            self._queued.put(False)  # noqa: FBT003 - see the comment of the queue
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _start_thread(self) -> None:
        name = f"{self._name}_{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        while self._queued.get():
            source = self._run_next()
            while source is not None:
                source = self._run_next(finished=source)

    def _run_next(self, finished: str | None = None) -> str | None:
        """Run an item and return its source; ``None`` if none may run, or none was held."""
        with self._items_lock:
            if finished is not None:
                self._running[finished] -= 1
                if not self._running[finished]:
                    del self._running[finished]
                if not self._held:
                    return None
                self._held -= 1
            source = self._next_source()
            if source is None:
                self._held += 1
                return None
            self._running[source] += 1
            items = self._items.pop(source)
            item = items.popleft()
            if items:
                self._items[source] = items  # behind the other sources
        item.run()
        return source

    def _next_source(self) -> str | None:
        is_alone = len(self._last_work) <= 1
        share = self._max_threads if is_alone else max(1, int(self._max_threads * SHARE))
        for source in self._items:
            if not source or self._running[source] < share:
                return source
        return None

    def _note_active(self, source: str) -> None:
        now = time.monotonic()
        self._last_work.pop(source, None)
        self._last_work[source] = now
        while now - self._last_work[next(iter(self._last_work))] > ACTIVE_SECONDS:
            del self._last_work[next(iter(self._last_work))]


class _WorkItem(Generic[T]):
    """A unit of work; the first to acquire its lock decides whether it runs or is cancelled."""

    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[T] = loop.create_future()
        self._work = work
        self._loop = loop
        self._claimed = threading.Lock()

    def run(self) -> None:
        """Run the work unless it was cancelled."""
        if not self._claimed.acquire(blocking=False):
            return
        try:
            finish = partial(self._return, self._work())
        except BaseException as error:  # noqa: BLE001 - the awaiting caller gets it
            finish = partial(self._raise, error)
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(finish)

    def cancel(self) -> None:
        """Cancel the work unless a thread has started it."""
        if self._claimed.acquire(blocking=False) and not self.future.done():
            self.future.set_exception(QueueTimeout())

    def _return(self, result: T) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def _raise(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)
