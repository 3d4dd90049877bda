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

T = TypeVar("T")

SHARE = 0.25  # of the threads, for each source
SHARING_SECONDS = 1.0  # since work of another source
PATIENCE = 0.05  # seconds until one parked unit of work is admitted


class QueueTimeout(Exception):
    """No thread was free in time; the work was not started and never will be."""


class ThreadPool(Generic[T]):
    """Threads that are started on demand, and take turns among the sources of work.

    So a source with much work delays the others by one unit of its work only. While several sources
    have work, each has a share of the threads, since all threads compete for the interpreter. Work
    beyond a share is parked until other work of the source ends; one unit is admitted from time to
    time, since what runs may wait for a lock.
    """

    def __init__(self, max_threads: int, name: str) -> None:
        """Allow up to ``max_threads`` threads, named ``name`` with a number."""
        self._max_threads = max_threads
        self._name = name
        self._threads: list[threading.Thread] = []
        self._queued: SimpleQueue[bool] = SimpleQueue()  # True for each item, False to end
        self._items: dict[str, deque[_WorkItem[T]]] = {}  # by source; the next one is the first
        self._items_lock = threading.Lock()
        self._pending = 0  # queued and running items
        self._share = max(1, int(max_threads * SHARE))
        self._running: Counter[str] = Counter()  # items by source
        self._parked = 0  # queued items of sources that have their share
        self._beyond_share = 0  # items that may start
        self._is_timer_set = False
        self._last_source = ""
        self._shared_until = 0.0  # of time.monotonic

    async def run(self, work: Callable[[], T], queue_timeout: float, source: str = "") -> T:
        """Return the result of ``work`` or raise its error; call it from one loop only.

        Work without a source has no share and does not count as that of another source.

        Raises:
            QueueTimeout: no thread started it within ``queue_timeout`` seconds.

        """
        loop = asyncio.get_running_loop()
        item = _WorkItem(work, loop)
        self._pending += 1
        if self._pending > len(self._threads) < self._max_threads:
            self._start_thread()
        if source and source != self._last_source:
            if self._last_source:
                self._shared_until = time.monotonic() + SHARING_SECONDS
            self._last_source = source
        with self._items_lock:
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
        with self._items_lock:
            self._share = self._max_threads
            released, self._parked = self._parked, 0
        for is_item in [True] * released + [False] * len(self._threads):
            self._queued.put(is_item)
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
            if (found := self._next_item()) is not None:
                source, item = found
                item.run()
                self._finish(source)

    def _next_item(self) -> "_Next[T] | None":
        """Return the next item; park one if each source with work has its share."""
        with self._items_lock:
            is_shared = time.monotonic() < self._shared_until
            for source in self._items:
                if not (is_shared and source) or self._running[source] < self._share:
                    return self._take(source)
            if self._beyond_share:
                self._beyond_share -= 1
                return self._take(next(iter(self._items)))
            self._parked += 1
            if not self._is_timer_set:
                self._is_timer_set = True
                loop = next(iter(self._items.values()))[0].loop
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(self._set_timer, loop)
            return None

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(PATIENCE, self._admit, loop)

    def _admit(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let a parked item start."""
        with self._items_lock:
            self._is_timer_set = self._parked > 0
            if self._is_timer_set:
                self._beyond_share = 1
                self._release()
                self._set_timer(loop)

    def _take(self, source: str) -> "_Next[T]":
        items = self._items.pop(source)
        item = items.popleft()
        if items:
            self._items[source] = items  # behind the other sources
        self._running[source] += 1
        return source, item

    def _finish(self, source: str) -> None:
        with self._items_lock:
            self._running[source] -= 1
            if not self._running[source]:
                del self._running[source]
            self._release()

    def _release(self) -> None:
        """Queue a parked item again."""
        if self._parked:
            self._parked -= 1
            self._queued.put(True)  # noqa: FBT003 - see the comment of the queue


class _WorkItem(Generic[T]):
    """A unit of work; the first to acquire its lock decides whether it runs or is cancelled."""

    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[T] = loop.create_future()
        self._work = work
        self.loop = loop
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
            self.loop.call_soon_threadsafe(finish)

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


_Next = tuple[str, _WorkItem[T]]  # with its source
