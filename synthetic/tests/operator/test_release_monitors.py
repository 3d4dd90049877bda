"""The release's monitors: as its ConfigMap has them, and gone when it has them no more."""

from typing import Any

import pytest
from monitors import monitor
from stage import HERE, Stage

from synthetic.operator.api_client import CONFIG_MAPS, MONITORS, ApiError
from synthetic.operator.release_monitors import PROVIDED_BY_LABEL, sync

pytestmark = pytest.mark.anyio

NAME = "release-monitors"
LOGIN = "journey: login\ninterval: 1m\ntarget: {url: 'http://shop.example'}\n"
CRUD = "journey: clients-crud\ntarget: {url: 'http://shop.example'}\n"


def config_map(**data: str) -> dict[str, Any]:
    """Return the release's ConfigMap."""
    labels = {"app.kubernetes.io/instance": "shop", "helm.sh/chart": "synthetic-1"}
    return {"metadata": {"name": NAME, "namespace": HERE, "labels": labels}, "data": data}


def specs(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return the monitors' specs by their names."""
    return {
        found["metadata"]["name"]: found["spec"]
        for found in stage.cluster.of_kind("syntheticmonitors")
    }


async def test_monitors_are_made_and_go_with_their_config_map(stage: Stage) -> None:
    stage.add(CONFIG_MAPS, config_map(login=LOGIN, crud=CRUD))
    await sync(stage.api, HERE, NAME)
    assert {name: spec["journey"] for name, spec in specs(stage).items()} == {
        "login": "login",
        "crud": "clients-crud",
    }
    (first, _) = stage.cluster.of_kind("syntheticmonitors")
    assert first["metadata"]["labels"] == {
        "app.kubernetes.io/instance": "shop",
        PROVIDED_BY_LABEL: NAME,
    }
    stage.delete(CONFIG_MAPS, NAME)
    assert specs(stage) == {}


async def test_nothing_is_written_when_the_config_map_has_not_changed(stage: Stage) -> None:
    stage.add(CONFIG_MAPS, config_map(login=LOGIN, crud=CRUD))
    await sync(stage.api, HERE, NAME)
    before = list(stage.cluster.writes)
    await sync(stage.api, HERE, NAME)
    assert stage.cluster.writes == before


async def test_a_changed_entry_changes_its_monitor_and_leaves_its_history(stage: Stage) -> None:
    stage.add(CONFIG_MAPS, config_map(login=LOGIN))
    await sync(stage.api, HERE, NAME)
    (made,) = stage.cluster.of_kind("syntheticmonitors")
    metadata = {**made["metadata"], "annotations": {"theirs": "stays"}}
    stage.change(MONITORS, {**made, "metadata": metadata})
    stage.change(MONITORS, {**made, "status": {"consecutiveFailures": 2}}, "status")
    stage.change(CONFIG_MAPS, config_map(login=LOGIN.replace("interval: 1m\n", "")))
    await sync(stage.api, HERE, NAME)
    (after,) = stage.cluster.of_kind("syntheticmonitors")
    assert "interval" not in after["spec"]
    assert after["metadata"]["uid"] == made["metadata"]["uid"]
    assert after["metadata"]["annotations"]["theirs"] == "stays"
    assert after["status"] == {"consecutiveFailures": 2}


async def test_an_edited_monitor_of_the_release_is_put_back(stage: Stage) -> None:
    stage.add(CONFIG_MAPS, config_map(login=LOGIN))
    await sync(stage.api, HERE, NAME)
    (made,) = stage.cluster.of_kind("syntheticmonitors")
    stage.change(MONITORS, {**made, "spec": {**made["spec"], "interval": "1h"}})
    await sync(stage.api, HERE, NAME)
    assert specs(stage)["login"]["interval"] == "1m"


async def test_an_entry_that_is_gone_takes_its_monitor_and_no_other(stage: Stage) -> None:
    stage.add_monitor()  # a user's own
    stage.add(CONFIG_MAPS, config_map(login=LOGIN, crud=CRUD))
    await sync(stage.api, HERE, NAME)
    stage.change(CONFIG_MAPS, config_map(crud=CRUD))
    await sync(stage.api, HERE, NAME)
    assert set(specs(stage)) == {"crud", "shop"}


async def test_a_users_monitor_of_the_same_name_is_left_alone(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    before = stage.add_monitor()
    stage.add(CONFIG_MAPS, config_map(shop=LOGIN))
    await sync(stage.api, HERE, NAME)
    assert stage.monitor == before
    assert "shop is there already, and not the release's" in caplog.text


@pytest.mark.parametrize(("text", "told"), [("a: [", "it is no YAML"), ("interval: 1m", "journey")])
async def test_a_wrong_entry_is_told_and_the_others_are_made(
    stage: Stage, caplog: pytest.LogCaptureFixture, text: str, told: str
) -> None:
    stage.add(CONFIG_MAPS, config_map(bad=text, login=LOGIN))
    await sync(stage.api, HERE, NAME)
    assert set(specs(stage)) == {"login"}
    assert "the monitor bad was refused" in caplog.text
    assert told in caplog.text


async def test_a_config_map_that_is_not_there_deletes_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = monitor()
    theirs["metadata"]["labels"] = {PROVIDED_BY_LABEL: NAME}
    stage.add(MONITORS, theirs)
    await sync(stage.api, HERE, NAME)
    assert set(specs(stage)) == {"shop"}
    assert f"ConfigMap {NAME}" in caplog.text


async def test_a_list_that_fails_halfway_deletes_nothing(stage: Stage) -> None:
    stage.add(CONFIG_MAPS, config_map(**{f"login-{number}": LOGIN for number in range(7)}))
    await sync(stage.api, HERE, NAME)
    stage.change(CONFIG_MAPS, config_map())
    stage.cluster.fail("GET", "*/syntheticmonitors", 500)
    with pytest.raises(ApiError):
        await sync(stage.api, HERE, NAME)
    assert len(specs(stage)) == 7
    await sync(stage.api, HERE, NAME)
    assert specs(stage) == {}
