"""A rate-limited work queue with the semantics of client-go.

A key is queued at most once, and no two workers process it concurrently.
"""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

BASE_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.5, 15.0  # exponential backoff of a failed key

Key = TypeVar("Key", bound=Hashable)


class WorkQueue(Generic[Key]):
    """A queue of keys; a key added while it is processed is queued again afterwards."""

    def __init__(self) -> None:
        """Create an empty queue."""
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._queued: set[Key] = set()
        self._processing: set[Key] = set()
        self._dirty: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        """Return the number of queued keys."""
        return len(self._queued)

    def add(self, key: Key) -> None:
        """Queue a key unless it is already queued."""
        if key in self._processing:
            self._dirty.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Queue a key after a delay; the earlier of two delays applies."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= loop.time() + seconds:
                return
            timer.cancel()
        self._timers[key] = loop.call_later(seconds, self._on_timer, key)

    def add_rate_limited(self, key: Key, min_seconds: float = 0) -> None:
        """Queue a failed key after a delay that doubles with each failure."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        delay = min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2 ** min(count, 10))
        self.add_after(key, max(delay, min(min_seconds, MAX_DELAY_SECONDS)))

    def forget(self, key: Key) -> None:
        """Reset the delay of a key after a success, and drop its delayed addition."""
        self._failures.pop(key, None)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    async def get(self) -> Key:
        """Wait for a key; the caller must call ``done`` after processing it."""
        key = await self._ready.get()
        self._queued.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: Key) -> None:
        """Mark a key as processed, and queue it again if it was added meanwhile."""
        self._processing.discard(key)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)

    def _on_timer(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)
