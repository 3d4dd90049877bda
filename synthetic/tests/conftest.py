"""What the tests of journeys, of the probe and of the operator share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from synthetic.operator.api_client import ApiClient
from tests.support.synthetic.fake_api_server import serve
from tests.support.synthetic.fake_cluster import FakeCluster
from tests.support.synthetic.mock_shop import MockShop, run_mock_shop, write_journey
from tests.support.synthetic.operator_harness import OperatorHarness


@pytest.fixture
def shop() -> Iterator[MockShop]:
    """A shop that behaves."""
    with run_mock_shop() as served:
        yield served


@pytest.fixture
def journey(tmp_path: Path) -> Path:
    """The shop's journey, beside its contract."""
    return write_journey(tmp_path)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that the operator runs in."""
    return "asyncio"


@pytest.fixture
async def harness(
    anyio_backend: str,  # noqa: ARG001 - anyio needs it to run this
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[OperatorHarness]:
    """A cluster with nothing in it, and the operator's client logged in to it."""
    cluster, kubeconfig = FakeCluster(), tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    async with serve(cluster, kubeconfig) as url, ApiClient() as api:
        yield OperatorHarness(cluster, api, url, kubeconfig)
