"""Syncing the release's monitors with its ConfigMap."""

from typing import Any

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.release_monitors import PROVIDED_BY_LABEL, sync
from synthetic.operator.resources import CONFIG_MAPS, MONITORS
from tests.support.synthetic.kubernetes_objects import monitor
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio

NAME = "release-monitors"
LOGIN = "journey: login\ninterval: 1m\ntarget: {url: 'http://shop.example'}\n"
CRUD = "journey: clients-crud\ntarget: {url: 'http://shop.example'}\n"


def config_map(**data: str) -> dict[str, Any]:
    """Return the release's ConfigMap."""
    labels = {"app.kubernetes.io/instance": "shop", "helm.sh/chart": "synthetic-1"}
    return {"metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels}, "data": data}


def specs(harness: OperatorHarness) -> dict[str, dict[str, Any]]:
    """Return the monitors' specs by their names."""
    return {
        found["metadata"]["name"]: found["spec"]
        for found in harness.cluster.list_kind("syntheticmonitors")
    }


async def test_creates_monitors_that_are_deleted_with_their_config_map(
    harness: OperatorHarness,
) -> None:
    harness.add(CONFIG_MAPS, config_map(login=LOGIN, crud=CRUD))
    await sync(harness.api, NAMESPACE, NAME)
    assert {name: spec["journey"] for name, spec in specs(harness).items()} == {
        "login": "login",
        "crud": "clients-crud",
    }
    (first, _) = harness.cluster.list_kind("syntheticmonitors")
    assert first["metadata"]["labels"] == {
        "app.kubernetes.io/instance": "shop",
        PROVIDED_BY_LABEL: NAME,
    }
    harness.delete(CONFIG_MAPS, NAME)
    assert specs(harness) == {}


async def test_writes_nothing_while_the_config_map_is_unchanged(
    harness: OperatorHarness,
) -> None:
    harness.add(CONFIG_MAPS, config_map(login=LOGIN, crud=CRUD))
    await sync(harness.api, NAMESPACE, NAME)
    before = list(harness.cluster.writes)
    await sync(harness.api, NAMESPACE, NAME)
    assert harness.cluster.writes == before


async def test_a_changed_entry_updates_its_monitor_and_keeps_the_history(
    harness: OperatorHarness,
) -> None:
    harness.add(CONFIG_MAPS, config_map(login=LOGIN))
    await sync(harness.api, NAMESPACE, NAME)
    (made,) = harness.cluster.list_kind("syntheticmonitors")
    metadata = {**made["metadata"], "annotations": {"theirs": "stays"}}
    harness.change(MONITORS, {**made, "metadata": metadata})
    harness.change(MONITORS, {**made, "status": {"consecutiveFailures": 2}}, "status")
    harness.change(CONFIG_MAPS, config_map(login=LOGIN.replace("interval: 1m\n", "")))
    await sync(harness.api, NAMESPACE, NAME)
    (after,) = harness.cluster.list_kind("syntheticmonitors")
    assert "interval" not in after["spec"]
    assert after["metadata"]["uid"] == made["metadata"]["uid"]
    assert after["metadata"]["annotations"]["theirs"] == "stays"
    assert after["status"] == {"consecutiveFailures": 2}


async def test_restores_an_edited_monitor(harness: OperatorHarness) -> None:
    harness.add(CONFIG_MAPS, config_map(login=LOGIN))
    await sync(harness.api, NAMESPACE, NAME)
    (made,) = harness.cluster.list_kind("syntheticmonitors")
    harness.change(MONITORS, {**made, "spec": {**made["spec"], "interval": "1h"}})
    await sync(harness.api, NAMESPACE, NAME)
    assert specs(harness)["login"]["interval"] == "1m"


async def test_a_removed_entry_deletes_only_its_monitor(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()  # created by a user
    harness.add(CONFIG_MAPS, config_map(login=LOGIN, crud=CRUD))
    await sync(harness.api, NAMESPACE, NAME)
    harness.change(CONFIG_MAPS, config_map(crud=CRUD))
    await sync(harness.api, NAMESPACE, NAME)
    assert set(specs(harness)) == {"crud", "shop"}


async def test_does_not_change_a_users_monitor_of_the_same_name(
    harness: OperatorHarness, caplog: pytest.LogCaptureFixture
) -> None:
    before = harness.add_monitor()
    harness.add(CONFIG_MAPS, config_map(shop=LOGIN))
    await sync(harness.api, NAMESPACE, NAME)
    assert harness.monitor == before
    assert "shop exists and is not the release's" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"), [("a: [", "the entry is not YAML"), ("interval: 1m", "journey")]
)
async def test_an_invalid_entry_is_logged_and_the_others_are_created(
    harness: OperatorHarness, caplog: pytest.LogCaptureFixture, text: str, message: str
) -> None:
    harness.add(CONFIG_MAPS, config_map(bad=text, login=LOGIN))
    await sync(harness.api, NAMESPACE, NAME)
    assert set(specs(harness)) == {"login"}
    assert "the monitor bad was rejected" in caplog.text
    assert message in caplog.text


async def test_a_missing_config_map_deletes_nothing(
    harness: OperatorHarness, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = monitor()
    theirs["metadata"]["labels"] = {PROVIDED_BY_LABEL: NAME}
    harness.add(MONITORS, theirs)
    await sync(harness.api, NAMESPACE, NAME)
    assert set(specs(harness)) == {"shop"}
    assert f"ConfigMap {NAME}" in caplog.text


async def test_an_incomplete_list_deletes_nothing(harness: OperatorHarness) -> None:
    harness.add(CONFIG_MAPS, config_map(**{f"login-{number}": LOGIN for number in range(7)}))
    await sync(harness.api, NAMESPACE, NAME)
    harness.change(CONFIG_MAPS, config_map())
    harness.cluster.fail("GET", "*/syntheticmonitors", 500)
    with pytest.raises(ApiError):
        await sync(harness.api, NAMESPACE, NAME)
    assert len(specs(harness)) == 7
    await sync(harness.api, NAMESPACE, NAME)
    assert specs(harness) == {}
