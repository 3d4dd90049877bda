"""The work queue: deduplication, concurrency and rate limiting."""

import asyncio

import pytest

from synthetic.operator import workqueue
from synthetic.operator.workqueue import WorkQueue

pytestmark = pytest.mark.anyio


async def test_a_key_added_twice_is_queued_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in ("a", "a", "b"):
        queue.add(key)
    assert len(queue) == 2
    assert [await queue.get(), await queue.get()] == ["a", "b"]


async def test_a_key_added_during_processing_is_queued_again_afterwards() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add(await queue.get())
    assert len(queue) == 0
    queue.done("a")
    assert await queue.get() == "a"


async def test_a_failed_key_is_queued_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workqueue, "BASE_DELAY_SECONDS", 0.001)
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    for _ in range(3):
        key = await queue.get()
        queue.add_rate_limited(key)
        queue.done(key)
    assert await queue.get() == "a"


async def test_the_earlier_of_several_delays_applies() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for seconds in (3600, 0.001, 1800):
        queue.add_after("a", seconds)
    async with asyncio.timeout(20):
        assert await queue.get() == "a"
