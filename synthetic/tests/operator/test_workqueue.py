"""The queue of monitors: each waits once, is in no two hands, and comes again when it must."""

import asyncio

import pytest

from synthetic.operator import workqueue
from synthetic.operator.workqueue import WorkQueue

pytestmark = pytest.mark.anyio


async def test_a_key_that_is_added_twice_waits_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in ("a", "a", "b"):
        queue.add(key)
    assert len(queue) == 2
    assert [await queue.get(), await queue.get()] == ["a", "b"]


async def test_a_key_that_is_added_in_hand_comes_again_when_it_is_done() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add(await queue.get())
    assert len(queue) == 0
    queue.done("a")
    assert await queue.get() == "a"


async def test_a_key_that_failed_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workqueue, "BASE_DELAY_SECONDS", 0.001)
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    for _ in range(3):
        queue.failed(await queue.get())
    assert await queue.get() == "a"


async def test_the_earlier_of_two_wishes_counts() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for seconds in (3600, 0.001, 1800):
        queue.add_after("a", seconds)
    async with asyncio.timeout(20):
        assert await queue.get() == "a"
