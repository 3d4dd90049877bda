"""ThreadPool for an event loop: as many as needed, and nothing is begun for who waits no more."""

import asyncio
import threading
from contextlib import suppress
from functools import partial

import pytest

from servicekit.http.thread_pool import QueueTimeout, ThreadPool

LONG = 10.0  # seconds


def names(threads: ThreadPool[str], most: int, at_once: int) -> set[str]:
    """Return which threads work when so many pieces of work come at once, again and again."""

    def work() -> str:
        released.wait(LONG)
        return threading.current_thread().name

    async def crowd() -> set[str]:
        found: set[str] = set()
        for _ in range(3):
            released.clear()
            tasks = [asyncio.create_task(threads.run(work, LONG)) for _ in range(at_once)]
            await asyncio.sleep(0)
            released.set()
            found |= {await task for task in tasks}
        return found

    released = threading.Event()
    found = asyncio.run(crowd())
    assert len(found) <= most
    threads.stop()
    return found


def test_no_more_threads_are_started_than_are_needed_and_allowed() -> None:
    assert names(ThreadPool(2, "hand"), 2, 1) == {"hand_0"}
    assert names(ThreadPool(2, "hand"), 2, 5) <= {"hand_0", "hand_1"}


def test_what_goes_wrong_is_raised_to_who_waits_and_the_thread_goes_on() -> None:
    threads: ThreadPool[str] = ThreadPool(1, "hand")

    def fail() -> str:
        raise KeyError

    async def twice() -> str:
        with pytest.raises(KeyError):
            await threads.run(fail, LONG)
        return await threads.run(lambda: "well", LONG)

    assert asyncio.run(twice()) == "well"
    threads.stop()


def test_nothing_is_begun_too_late_or_for_who_has_gone() -> None:
    threads: ThreadPool[None] = ThreadPool(1, "hand")
    released = threading.Event()
    begun: list[object] = []

    async def crowd() -> None:
        running = asyncio.create_task(threads.run(lambda: begun.append(released.wait(LONG)), LONG))
        await asyncio.sleep(0)
        gone = asyncio.create_task(threads.run(lambda: begun.append("gone"), LONG))
        await asyncio.sleep(0)
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        with pytest.raises(QueueTimeout):
            await threads.run(lambda: begun.append("late"), 0.01)
        released.set()
        await running

    asyncio.run(crowd())
    threads.stop()
    assert begun == [True]


def test_a_stop_waits_for_what_was_begun_and_for_what_waits() -> None:
    threads: ThreadPool[None] = ThreadPool(1, "hand")
    done: list[str] = []

    async def leave() -> None:
        work = [partial(done.append, name) for name in ("first", "second")]
        tasks = [asyncio.create_task(threads.run(each, LONG)) for each in work]
        await asyncio.sleep(0)
        threads.stop()
        assert done == ["first", "second"]
        await asyncio.gather(*tasks)

    asyncio.run(leave())
