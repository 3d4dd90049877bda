"""The operator bench finds what it looks for, and tells when it is not so."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from apiserver import Cluster
from apiservice import serve

from scripts.operator_bench import large, process, small
from scripts.operator_bench.disturbances import disturb
from scripts.operator_bench.space import Space, space

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that the stand-in for a cluster runs in."""
    return "asyncio"


@pytest.fixture
async def here(
    anyio_backend: str,  # noqa: ARG001 - anyio needs it to run this
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Space]:
    """A namespace of a cluster that nobody else uses."""
    kubeconfig = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setattr(process, "QUIET", 1.0)
    async with serve(Cluster(), kubeconfig):
        opened = space()
        made = await asyncio.to_thread(opened.__enter__)
        yield made
        await asyncio.to_thread(opened.__exit__, None, None, None)


async def test_an_operator_that_is_killed_at_a_write_converges(here: Space) -> None:
    assert await asyncio.to_thread(small.kill, here, 2, is_new=False, is_heard=True)
    assert not await asyncio.to_thread(small.kill, here, 99, is_new=True, is_heard=False)


async def test_refusals_are_outlived(here: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "FEW", 3)
    assert "3 disturbances put back" in await asyncio.to_thread(small.refusals, here)


async def test_runs_that_nobody_saw_are_counted(
    here: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "AWAY", 3)
    assert "3 of 3 that passed" in await asyncio.to_thread(small.unseen, here)


async def test_an_api_server_that_was_away_is_watched_again(here: Space) -> None:
    names = ["a", "b"]
    for name in names:
        await asyncio.to_thread(here.add_monitor, name)
    absence = large.Absence(3)
    told = await asyncio.to_thread(large.away, here, names, absence, lambda _: None)
    assert told.startswith("3 s without an API server: alive ")


async def test_what_nobody_puts_back_is_a_miss(here: Space) -> None:
    await asyncio.to_thread(here.add_monitor, "a")
    with pytest.raises(ValueError, match="not enough values"):  # nobody has made its CronJob
        await asyncio.to_thread(disturb, here, "a", "deleted", 0.1)
