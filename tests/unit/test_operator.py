"""The operator bench finds what it looks for, and tells when it is not so."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.operator import operator_process, resilience, scale, termination_messages
from tests.operator.namespace import MissError, Space, ready, space, until
from tests.operator.operator_process import operator
from tests.operator.tampering import disturb
from tests.support.synthetic.fake_api_server import serve
from tests.support.synthetic.fake_cluster import FakeCluster

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
    monkeypatch.setattr(operator_process, "QUIET", 1.0)
    async with serve(FakeCluster(), kubeconfig):
        opened = space()
        made = await asyncio.to_thread(opened.__enter__)
        yield made
        await asyncio.to_thread(opened.__exit__, None, None, None)


async def test_an_operator_that_is_killed_at_a_write_converges(here: Space) -> None:
    assert await asyncio.to_thread(resilience.kill, here, 2, is_new=False, is_heard=True)
    assert not await asyncio.to_thread(resilience.kill, here, 99, is_new=True, is_heard=False)


async def test_refusals_are_outlived(here: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resilience, "FEW", 3)
    assert "3 disturbances put back" in await asyncio.to_thread(resilience.refusals, here)


async def test_runs_that_nobody_saw_are_counted(
    here: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resilience, "AWAY", 3)
    assert "3 of 3 that passed" in await asyncio.to_thread(resilience.unseen, here)


async def test_an_api_server_that_was_away_is_watched_again(here: Space) -> None:
    names = ["a", "b"]
    for name in names:
        await asyncio.to_thread(here.add_monitor, name)
    absence = scale.Absence(3)
    told = await asyncio.to_thread(scale.away, here, names, absence, lambda _: None)
    assert told.startswith("3 s without an API server: alive ")


async def test_what_nobody_puts_back_is_a_miss(here: Space) -> None:
    def disturb_without_an_operator() -> None:
        here.add_monitor("a")
        with operator(here.name):
            until(lambda: ready(here.monitor("a"))[0] == "Scheduled", 20.0, "it is not ready")
        disturb(here, "a", "deleted", 0.1)

    with pytest.raises(MissError, match="a: not put back: deleted"):
        await asyncio.to_thread(disturb_without_an_operator)


async def test_messages_that_make_no_sense_are_borne(
    here: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in {"MESSAGES": 24, "OWNERS": 2, "EACH": 4}.items():
        monkeypatch.setattr(termination_messages, name, number)
    said: list[str] = []
    told = await asyncio.to_thread(termination_messages.borne, here, said.append)
    assert told.startswith("24 messages counted by one process, 0 looks at a monitor went wrong")
    assert said == ["8 of 24 messages", "16 of 24 messages", "24 of 24 messages"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"totals": {"passed": 26, "failed": 25, "error": 0, "disrupted": 0}}, "not 25 passed"),
        ({"totals": {"passed": 25, "failed": 24, "error": 0, "disrupted": 1}}, "not 25 passed"),
        ({"lastRun": {"result": "<b>"}}, "does not fit the schema"),
        ({"lastRun": {"startedAt": "yesterday"}}, "does not fit the schema"),
        ({"target": "x" * 9000}, "a status of 9"),
    ],
)
def test_a_status_that_counts_wrong_or_is_unsound_is_a_miss(
    change: dict[str, object], told: str
) -> None:
    totals = {"passed": 25, "failed": 20, "error": 5, "disrupted": 0}
    termination_messages.judge({"status": {"totals": totals}}, 1)
    with pytest.raises(MissError, match=told):
        termination_messages.judge({"status": {"totals": totals, **change}}, 1)
