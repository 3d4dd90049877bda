"""What the tests of the operator share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from apiserver import Cluster
from apiservice import serve
from stage import Stage

from synthetic.operator.api import Api


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
    async with serve(cluster, kubeconfig) as url, Api() as api:
        yield Stage(cluster, api, url, kubeconfig)
