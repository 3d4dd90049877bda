"""The API client: paging, conflicts, expired tokens and unavailable servers."""

from pathlib import Path

import kopf
import pytest

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.resources import CONFIG_MAPS, MONITORS, Resource
from tests.support.synthetic.fake_api_server import serve, write_kubeconfig
from tests.support.synthetic.fake_cluster import FakeCluster
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio


async def test_lists_all_pages(harness: OperatorHarness) -> None:
    names = [f"map-{number}" for number in range(10)]
    for name in names:
        harness.add(CONFIG_MAPS, {"metadata": {"name": name, "namespace": NAMESPACE}})
    listed = await harness.api.list(CONFIG_MAPS, "")
    assert [thing["metadata"]["name"] for thing in listed] == names


async def test_create_and_delete_are_idempotent(
    harness: OperatorHarness,
) -> None:
    thing = {"metadata": {"name": "map", "namespace": NAMESPACE}, "data": {"a": "b"}}
    assert await harness.api.create(CONFIG_MAPS, thing) is not None
    assert await harness.api.create(CONFIG_MAPS, {**thing, "data": {}}) is None
    kept = await harness.api.get(CONFIG_MAPS, NAMESPACE, "map")
    assert kept is not None
    assert kept["data"] == {"a": "b"}
    for _ in range(2):
        await harness.api.delete(CONFIG_MAPS, NAMESPACE, "map")
    assert await harness.api.get(CONFIG_MAPS, NAMESPACE, "map") is None


@pytest.mark.parametrize("name", ["..", ".", "../configmaps/map", "map/status", "map?x=y", "%6dap"])
async def test_a_name_is_one_part_of_the_path(harness: OperatorHarness, name: str) -> None:
    harness.add(CONFIG_MAPS, {"metadata": {"name": "map", "namespace": NAMESPACE}})
    assert await harness.api.get(CONFIG_MAPS, NAMESPACE, name) is None
    assert await harness.api.get(CONFIG_MAPS, f"other/../{NAMESPACE}", "map") is None


async def test_an_error_has_the_seconds_of_retry_after(harness: OperatorHarness) -> None:
    harness.cluster.fail("GET", "*/configmaps", 429, wait=7)
    with pytest.raises(ApiError, match="rejected with 429") as refused:
        await harness.api.list(CONFIG_MAPS, NAMESPACE)
    assert (refused.value.status, refused.value.retry_after) == (429, 7)


async def test_a_rejected_write_raises(harness: OperatorHarness) -> None:
    thing = harness.add(CONFIG_MAPS, {"metadata": {"name": "map", "namespace": NAMESPACE}})
    for method in ("POST", "DELETE"):
        harness.cluster.fail(method, "*/configmaps*", 403)
    with pytest.raises(ApiError, match="403"):
        await harness.api.create(CONFIG_MAPS, thing)
    with pytest.raises(ApiError, match="403"):
        await harness.api.delete(CONFIG_MAPS, NAMESPACE, "map")
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    assert await harness.api.list(CONFIG_MAPS, NAMESPACE) == [{**kind, **thing}]


async def test_detects_kinds_that_the_server_lacks(harness: OperatorHarness) -> None:
    assert await harness.api.has_resource(MONITORS)
    assert not await harness.api.has_resource(Resource(MONITORS.prefix, "others"))
    assert not await harness.api.has_resource(Resource("/apis/others.example/v1", "others"))
    harness.cluster.fail("GET", MONITORS.prefix, 503)
    with pytest.raises(ApiError):
        await harness.api.has_resource(MONITORS)


async def test_renews_the_login_when_the_token_has_expired(harness: OperatorHarness) -> None:
    assert await harness.api.list(CONFIG_MAPS, NAMESPACE) == []
    harness.cluster.token = "second"
    with pytest.raises(ApiError, match="Unauthorized"):
        await harness.api.list(CONFIG_MAPS, NAMESPACE)
    write_kubeconfig(harness.kubeconfig, harness.url, "second")
    assert await harness.api.list(CONFIG_MAPS, NAMESPACE) == []


async def test_an_unavailable_server_raises_with_status_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    async with serve(FakeCluster(), tmp_path / "kubeconfig"):
        pass
    async with ApiClient() as api:
        with pytest.raises(ApiError, match="does not respond") as refused:
            await api.list(CONFIG_MAPS, NAMESPACE)
    assert refused.value.status == 0


async def test_without_login_the_error_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(kopf.LoginError, match="set KUBECONFIG"):
        async with ApiClient():
            pass
