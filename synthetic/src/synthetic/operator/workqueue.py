"""A queue of keys in which each waits at most once, and is in no two hands at a time."""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

BASE_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.5, 15.0  # seconds until a key that failed is tried again

Key = TypeVar("Key", bound=Hashable)


class WorkQueue(Generic[Key]):
    """Keys to work on. A key that is added while it is worked on comes again afterwards."""

    def __init__(self) -> None:
        """Start empty."""
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._queued: set[Key] = set()
        self._processing: set[Key] = set()
        self._dirty: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        """Return how many keys wait."""
        return len(self._queued)

    def add(self, key: Key) -> None:
        """Have a key worked on soon."""
        if key in self._processing:
            self._dirty.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Have a key worked on after a while; the earlier of two wishes counts."""
        loop = asyncio.get_running_loop()
        known = self._timers.get(key)
        if known is not None:
            if known.when() <= loop.time() + seconds:
                return
            known.cancel()
        self._timers[key] = loop.call_later(seconds, self._due, key)

    async def get(self) -> Key:
        """Wait for a key; whoever takes it calls ``done`` or ``failed``."""
        key = await self._ready.get()
        self._queued.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: Key) -> None:
        """Tell that the work on a key went well."""
        self._failures.pop(key, None)
        self._put_back(key)

    def failed(self, key: Key, at_least: float = 0) -> None:
        """Tell that it did not: it is tried again, each time after a longer wait."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        self._put_back(key)
        wait = min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2 ** min(count, 10))
        self.add_after(key, max(wait, min(at_least, MAX_DELAY_SECONDS)))

    def _put_back(self, key: Key) -> None:
        self._processing.discard(key)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)
