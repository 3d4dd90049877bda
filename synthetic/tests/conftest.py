"""What the tests of journeys, of the probe and of the operator share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from apiserver import Cluster
from apiservice import serve
from stage import Stage

from shop import Shop, open_shop, write_journey
from synthetic.operator.api_client import ApiClient


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that behaves."""
    with open_shop() as served:
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
async def stage(
    anyio_backend: str,  # noqa: ARG001 - anyio needs it to run this
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Stage]:
    """A cluster with nothing in it, and the operator's client logged in to it."""
    cluster, kubeconfig = Cluster(), tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    async with serve(cluster, kubeconfig) as url, ApiClient() as api:
        yield Stage(cluster, api, url, kubeconfig)
