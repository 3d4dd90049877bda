"""The operator's client, against an API server that is full, slow to trust, or not there."""

from pathlib import Path

import kopf
import pytest
from apiserver import Cluster
from apiservice import serve, write_kubeconfig
from stage import HERE, Stage

from synthetic.operator.api_client import CONFIG_MAPS, MONITORS, ApiClient, ApiError, Resource

pytestmark = pytest.mark.anyio


async def test_a_list_of_many_pages_is_read_whole(stage: Stage) -> None:
    names = [f"map-{number}" for number in range(10)]
    for name in names:
        stage.add(CONFIG_MAPS, {"metadata": {"name": name, "namespace": HERE}})
    listed = await stage.api.list(CONFIG_MAPS, "")
    assert [thing["metadata"]["name"] for thing in listed] == names


async def test_what_is_there_is_not_created_again_and_what_is_gone_is_deleted(stage: Stage) -> None:
    thing = {"metadata": {"name": "map", "namespace": HERE}, "data": {"a": "b"}}
    assert await stage.api.create(CONFIG_MAPS, thing) is not None
    assert await stage.api.create(CONFIG_MAPS, {**thing, "data": {}}) is None
    kept = await stage.api.get(CONFIG_MAPS, HERE, "map")
    assert kept is not None
    assert kept["data"] == {"a": "b"}
    for _ in range(2):
        await stage.api.delete(CONFIG_MAPS, HERE, "map")
    assert await stage.api.get(CONFIG_MAPS, HERE, "map") is None


async def test_an_answer_that_asks_to_wait_says_how_long(stage: Stage) -> None:
    stage.cluster.fail("GET", "*/configmaps", 429, wait=7)
    with pytest.raises(ApiError, match="refused with 429") as refused:
        await stage.api.list(CONFIG_MAPS, HERE)
    assert (refused.value.status, refused.value.retry_after) == (429, 7)


async def test_a_refused_write_is_no_success(stage: Stage) -> None:
    thing = stage.add(CONFIG_MAPS, {"metadata": {"name": "map", "namespace": HERE}})
    for method in ("POST", "DELETE"):
        stage.cluster.fail(method, "*/configmaps*", 403)
    with pytest.raises(ApiError, match="403"):
        await stage.api.create(CONFIG_MAPS, thing)
    with pytest.raises(ApiError, match="403"):
        await stage.api.delete(CONFIG_MAPS, HERE, "map")
    assert await stage.api.list(CONFIG_MAPS, HERE) == [thing]


async def test_a_kind_that_the_server_does_not_know_is_told(stage: Stage) -> None:
    assert await stage.api.has_resource(MONITORS)
    assert not await stage.api.has_resource(Resource(MONITORS.prefix, "others"))
    assert not await stage.api.has_resource(Resource("/apis/others.example/v1", "others"))
    stage.cluster.fail("GET", MONITORS.prefix, 503)
    with pytest.raises(ApiError):
        await stage.api.has_resource(MONITORS)


async def test_a_token_that_has_expired_is_read_anew(stage: Stage) -> None:
    assert await stage.api.list(CONFIG_MAPS, HERE) == []
    stage.cluster.token = "second"
    with pytest.raises(ApiError, match="Unauthorized"):
        await stage.api.list(CONFIG_MAPS, HERE)
    write_kubeconfig(stage.kubeconfig, stage.url, "second")
    assert await stage.api.list(CONFIG_MAPS, HERE) == []


async def test_a_server_that_is_gone_is_told_as_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    async with serve(Cluster(), tmp_path / "kubeconfig"):
        pass
    async with ApiClient() as api:
        with pytest.raises(ApiError, match="does not answer") as refused:
            await api.list(CONFIG_MAPS, HERE)
    assert refused.value.status == 0


async def test_without_a_way_to_log_in_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(kopf.LoginError, match="set KUBECONFIG"):
        async with ApiClient():
            pass
