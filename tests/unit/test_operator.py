"""Tests of the operator tests, with a stand-in for the API server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.operator import operator_process, resilience, scale, termination_message_fuzzing
from tests.operator.factories import ready_condition
from tests.operator.namespace import Namespace, temporary_namespace, wait_until
from tests.operator.operator_process import operator
from tests.operator.tampering import tamper
from tests.support.steps import StepFailed
from tests.support.synthetic.fake_api_server import serve
from tests.support.synthetic.fake_cluster import FakeCluster

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the stand-in for a cluster."""
    return "asyncio"


@pytest.fixture
async def here(
    anyio_backend: str,  # noqa: ARG001 - anyio needs it to run this
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Namespace]:
    """A namespace of an unshared cluster."""
    kubeconfig = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setattr(operator_process, "IDLE_SECONDS", 1.0)
    async with serve(FakeCluster(), kubeconfig):
        opened = temporary_namespace()
        made = await asyncio.to_thread(opened.__enter__)
        yield made
        await asyncio.to_thread(opened.__exit__, None, None, None)


@pytest.mark.long
async def test_a_new_operator_converges_after_a_kill_at_a_write(here: Namespace) -> None:
    assert await asyncio.to_thread(
        resilience.kill_at_write, here, 2, kind="edited", is_forwarded=True
    )
    assert not await asyncio.to_thread(
        resilience.kill_at_write, here, 99, kind="new", is_forwarded=False
    )


@pytest.mark.long
async def test_the_operator_tolerates_rejected_requests(
    here: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resilience, "MONITOR_COUNT", 3)
    assert "3 changes repaired" in await asyncio.to_thread(resilience.tolerates_rejections, here)


@pytest.mark.long
async def test_counts_runs_that_ended_without_an_operator(
    here: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resilience, "MISSED", 3)
    assert "3 of 3 that passed" in await asyncio.to_thread(resilience.counts_missed_runs, here)


@pytest.mark.long
async def test_the_operator_recovers_from_an_api_server_outage(here: Namespace) -> None:
    names = ["a", "b"]
    for name in names:
        await asyncio.to_thread(here.add_monitor, name)
    outage = scale.Outage(3)
    summary = await asyncio.to_thread(scale.survives_outage, here, names, outage, lambda _: None)
    assert summary.startswith("3 s without an API server: alive ")


@pytest.mark.long
async def test_reports_a_change_that_is_not_repaired(here: Namespace) -> None:
    def tamper_without_an_operator() -> None:
        here.add_monitor("a")
        with operator(here.name):
            wait_until(
                lambda: ready_condition(here.monitor("a"))[0] == "Scheduled", 20.0, "not ready"
            )
        tamper(here, "a", "deleted", 0.1)

    with pytest.raises(StepFailed, match="a: not repaired: deleted"):
        await asyncio.to_thread(tamper_without_an_operator)


@pytest.mark.long
async def test_the_operator_tolerates_invalid_termination_messages(
    here: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in {"MESSAGES": 24, "MONITOR_COUNT": 2, "JOBS_EACH": 4}.items():
        monkeypatch.setattr(termination_message_fuzzing, name, number)
    lines: list[str] = []
    summary = await asyncio.to_thread(
        termination_message_fuzzing.check_fuzzed_messages, here, lines.append
    )
    assert summary.startswith("24 messages counted by one process, 0 reconciliations failed")
    assert lines == ["8 of 24 messages", "16 of 24 messages", "24 of 24 messages"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"totals": {"passed": 26, "failed": 25, "error": 0, "disrupted": 0}}, "not 25 passed"),
        ({"totals": {"passed": 25, "failed": 24, "error": 0, "disrupted": 1}}, "not 25 passed"),
        ({"lastRun": {"result": "<b>"}}, "does not fit the schema"),
        ({"lastRun": {"startedAt": "yesterday"}}, "does not fit the schema"),
        ({"counted": [f"{n:018}" for n in range(500)]}, "a status of 10"),
    ],
)
def test_reports_wrong_totals_and_an_invalid_status(
    change: dict[str, object], message: str
) -> None:
    totals = {"passed": 25, "failed": 20, "error": 5, "disrupted": 0}
    termination_message_fuzzing.check_status({"status": {"totals": totals}}, 1)
    with pytest.raises(StepFailed, match=message):
        termination_message_fuzzing.check_status({"status": {"totals": totals, **change}}, 1)
