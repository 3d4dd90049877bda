"""Thread pool for an event loop: number of threads, time-outs and cancellation."""

import asyncio
import threading
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest

from servicekit.http.thread_pool import QueueTimeout, ThreadPool

LONG = 10.0  # seconds


def thread_names(pool: ThreadPool[str], max_threads: int, concurrency: int) -> set[str]:
    """Return the names of the threads that run three rounds of concurrent work."""

    def work() -> str:
        released.wait(LONG)
        return threading.current_thread().name

    async def submit() -> set[str]:
        found: set[str] = set()
        for _ in range(3):
            released.clear()
            tasks = [asyncio.create_task(pool.run(work, LONG)) for _ in range(concurrency)]
            await asyncio.sleep(0)
            released.set()
            found |= {await task for task in tasks}
        return found

    released = threading.Event()
    found = asyncio.run(submit())
    assert len(found) <= max_threads
    pool.stop()
    return found


def test_starts_only_the_needed_and_allowed_threads() -> None:
    assert thread_names(ThreadPool(2, "hand"), 2, 1) == {"hand_0"}
    assert thread_names(ThreadPool(2, "hand"), 2, 5) <= {"hand_0", "hand_1"}


def test_caller_gets_the_exception_and_the_thread_survives() -> None:
    pool: ThreadPool[str] = ThreadPool(1, "hand")

    def fail() -> str:
        raise KeyError

    async def twice() -> str:
        with pytest.raises(KeyError):
            await pool.run(fail, LONG)
        return await pool.run(lambda: "done", LONG)

    assert asyncio.run(twice()) == "done"
    pool.stop()


def test_late_and_cancelled_work_never_starts() -> None:
    pool: ThreadPool[None] = ThreadPool(1, "hand")
    released = threading.Event()
    started: list[object] = []

    async def submit() -> None:
        running = asyncio.create_task(pool.run(lambda: started.append(released.wait(LONG)), LONG))
        await asyncio.sleep(0)
        cancelled = asyncio.create_task(pool.run(lambda: started.append("cancelled"), LONG))
        await asyncio.sleep(0)
        cancelled.cancel()
        with suppress(asyncio.CancelledError):
            await cancelled
        with pytest.raises(QueueTimeout):
            await pool.run(lambda: started.append("late"), 0.01)
        released.set()
        await running

    asyncio.run(submit())
    pool.stop()
    assert started == [True]


def test_stop_waits_for_running_and_queued_work() -> None:
    pool: ThreadPool[None] = ThreadPool(1, "hand")
    done: list[str] = []

    async def submit_and_stop() -> None:
        work = [partial(done.append, name) for name in ("first", "second")]
        tasks = [asyncio.create_task(pool.run(each, LONG)) for each in work]
        await asyncio.sleep(0)
        pool.stop()
        assert done == ["first", "second"]
        await asyncio.gather(*tasks)

    asyncio.run(submit_and_stop())


def test_sources_of_work_take_turns() -> None:
    pool: ThreadPool[None] = ThreadPool(1, "hand")
    done: list[str] = []
    released = threading.Event()

    def wait() -> None:
        released.wait(LONG)

    async def submit() -> None:
        tasks = [asyncio.create_task(pool.run(wait, LONG))]
        order = [("busy", number) for number in range(5)] + [("calm", 0), ("third", 0), ("calm", 1)]
        for source, number in order:
            work = partial(done.append, f"{source} {number}")
            tasks.append(asyncio.create_task(pool.run(work, LONG, source)))
        await asyncio.sleep(0)
        released.set()
        await asyncio.gather(*tasks)

    asyncio.run(submit())
    pool.stop()
    turns = ["busy 0", "calm 0", "third 0", "busy 1", "calm 1", "busy 2", "busy 3", "busy 4"]
    assert done == turns


def test_a_source_beside_others_has_its_share_of_the_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("servicekit.http.thread_pool.ACTIVE_SECONDS", LONG)
    pool: ThreadPool[None] = ThreadPool(4, "hand")
    released = threading.Event()
    started: list[str] = []

    def wait(source: str) -> None:
        started.append(source)
        released.wait(LONG)

    async def submit() -> None:
        await pool.run(lambda: None, LONG, "calm")
        busy = partial(wait, "busy")
        tasks = [asyncio.create_task(pool.run(busy, LONG, "busy")) for _ in range(8)]
        await asyncio.sleep(0)
        for source in ("calm", ""):
            await pool.run(partial(started.append, source), LONG, source)
        assert Counter(started) == {"busy": 1, "calm": 1, "": 1}
        released.set()
        await asyncio.gather(*tasks)

    asyncio.run(submit())
    pool.stop()
    assert started.count("busy") == 8


@pytest.mark.parametrize("sources", [["busy"], ["calm", "busy"]], ids=["alone", "again alone"])
def test_a_source_without_others_has_all_threads(
    monkeypatch: pytest.MonkeyPatch, sources: list[str]
) -> None:
    monkeypatch.setattr("servicekit.http.thread_pool.ACTIVE_SECONDS", 0.0)
    pool: ThreadPool[None] = ThreadPool(4, "hand")
    together = threading.Barrier(4, timeout=LONG)

    def meet() -> None:
        together.wait()

    async def submit() -> None:
        for source in sources:
            await pool.run(lambda: None, LONG, source)
        await asyncio.gather(*[pool.run(meet, LONG, "busy") for _ in range(4)])

    asyncio.run(submit())
    pool.stop()


def test_stop_finishes_work_beyond_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servicekit.http.thread_pool.ACTIVE_SECONDS", LONG)
    pool: ThreadPool[None] = ThreadPool(2, "hand")
    done: list[int] = []

    async def submit_and_stop() -> None:
        await pool.run(lambda: None, LONG, "calm")
        work = [partial(done.append, number) for number in range(20)]
        tasks = [asyncio.create_task(pool.run(each, LONG, "busy")) for each in work]
        await asyncio.sleep(0)
        pool.stop()
        assert sorted(done) == list(range(20))
        await asyncio.gather(*tasks)

    asyncio.run(submit_and_stop())
