"""Fixtures for the tests of the probe and of the operator."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from servicekit.testing import environment
from synthetic.operator.api_client import ApiClient
from synthetic.probe.masking import MASK
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.fake_api_server import serve
from tests.support.synthetic.fake_cluster import FakeCluster
from tests.support.synthetic.mock_shop import MockShop, run_mock_shop, write_journey
from tests.support.synthetic.operator_harness import OperatorHarness
from tests.support.synthetic.scripted_api import ScriptedApi, run_scripted_api
from tests.support.synthetic.webhook_harness import Webhook, serve_webhook


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    """Start without secrets: those of other tests could mask words of an output."""
    with patch.object(MASK, "_patterns", {}), patch.object(MASK, "_pattern", None):
        yield


@pytest.fixture
def shop() -> Iterator[MockShop]:
    """A mock shop without faults."""
    with run_mock_shop() as served:
        yield served


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """A certificate authority of servers and clients, which probes trust."""
    found = Authority(tmp_path)
    with environment(SSL_CERT_FILE=str(found.certificate)):
        yield found


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    """A server that replies 200 to every request."""
    with run_scripted_api() as served:
        yield served


@pytest.fixture
def journey(tmp_path: Path) -> Path:
    """The mock shop's journey, beside its contract."""
    return write_journey(tmp_path)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the operator."""
    return "asyncio"


@pytest.fixture
async def harness(
    anyio_backend: str,  # noqa: ARG001 - anyio requires it for async fixtures
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[OperatorHarness]:
    """An empty fake cluster with the operator's API client."""
    cluster, kubeconfig = FakeCluster(), tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    async with serve(cluster, kubeconfig) as url, ApiClient() as api:
        yield OperatorHarness(cluster, api, url, kubeconfig)


@pytest.fixture
async def hook(harness: OperatorHarness) -> AsyncIterator[Webhook]:
    """A webhook that accepts everything; the operator may reach it."""
    async with serve_webhook(harness) as served:
        yield served
