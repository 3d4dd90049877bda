"""A queue of keys in which each waits at most once, and is in no two hands at a time."""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0  # seconds until a key that failed is tried again

Key = TypeVar("Key", bound=Hashable)


class WorkQueue(Generic[Key]):
    """Keys to work on. A key that is added while it is worked on comes again afterwards."""

    def __init__(self) -> None:
        """Start empty."""
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: set[Key] = set()
        self._in_hand: set[Key] = set()
        self._again: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._later: dict[Key, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        """Return how many keys wait."""
        return len(self._waiting)

    def add(self, key: Key) -> None:
        """Have a key worked on soon."""
        if key in self._in_hand:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    def add_later(self, key: Key, seconds: float) -> None:
        """Have a key worked on after a while; the earlier of two wishes counts."""
        loop = asyncio.get_running_loop()
        known = self._later.get(key)
        if known is not None:
            if known.when() <= loop.time() + seconds:
                return
            known.cancel()
        self._later[key] = loop.call_later(seconds, self._due, key)

    async def take(self) -> Key:
        """Wait for a key; whoever takes it calls ``done`` or ``failed``."""
        key = await self._ready.get()
        self._waiting.discard(key)
        self._in_hand.add(key)
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
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(count, 10))
        self.add_later(key, max(wait, min(at_least, LONGEST_WAIT)))

    def _put_back(self, key: Key) -> None:
        self._in_hand.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _due(self, key: Key) -> None:
        self._later.pop(key, None)
        self.add(key)
