"""Cluster-wide maintenance windows: SyntheticMaintenances and what they select."""

from typing import Any

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.resources import MONITORS, NAMESPACES
from tests.support.synthetic.fake_cluster import ObjectPath
from tests.support.synthetic.kubernetes_objects import monitor
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio

HOUR = {"start": "2026-01-31T09:00:00Z", "end": "2026-01-31T10:00:00Z"}


def add_monitor(harness: OperatorHarness, labels: dict[str, str]) -> None:
    """Create a monitor with labels in a namespace with labels."""
    made = monitor()
    del made["status"]
    made["metadata"]["labels"] = labels
    harness.add(MONITORS, made)
    body = {"metadata": {"name": NAMESPACE, "labels": {"stage": "live"}}}
    harness.cluster.create(ObjectPath.of(NAMESPACES.path("")), body)


def maintenance(harness: OperatorHarness) -> str:
    """Return the status of the condition Maintenance, or an empty text."""
    return str(condition(harness.status, "Maintenance").get("status", ""))


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    """Return a selector of one expression."""
    found: dict[str, Any] = {"key": key, "operator": operator}
    return {"matchExpressions": [{**found, "values": list(values)} if values else found]}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ({}, "True"),
        ({"selector": {}, "namespaceSelector": {}}, "True"),
        ({"selector": {"matchLabels": {"team": "a"}}}, "True"),
        ({"selector": {"matchLabels": {"team": "b"}}}, ""),
        ({"selector": expression("team", "In", "a", "b")}, "True"),
        ({"selector": expression("team", "NotIn", "a")}, ""),
        ({"selector": expression("other", "NotIn", "a")}, "True"),
        ({"selector": expression("team", "Exists")}, "True"),
        ({"selector": expression("team", "DoesNotExist")}, ""),
        ({"namespaceSelector": {"matchLabels": {"stage": "live"}}}, "True"),
        ({"namespaceSelector": {"matchLabels": {"stage": "test"}}}, ""),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "here"}}}, "True"),
        (
            {
                "selector": {"matchLabels": {"team": "b"}},
                "namespaceSelector": {"matchLabels": {"stage": "live"}},
            },
            "",
        ),
    ],
    ids=[
        *("all", "empty", "label", "other-label", "in", "not-in", "not-in-without-label"),
        *("exists", "does-not-exist", "namespace", "other-namespace", "namespace-name", "both"),
    ],
)
async def test_selects_monitors_by_their_labels_and_those_of_the_namespace(
    harness: OperatorHarness, selectors: dict[str, Any], expected: str
) -> None:
    add_monitor(harness, {"team": "a"})
    harness.add_maintenance(**HOUR, **selectors)
    await harness.reconcile()
    assert maintenance(harness) == expected
    if expected:
        assert "SyntheticMaintenance upgrade" in condition(harness.status, "Maintenance")["message"]


async def test_the_namespace_may_be_unreadable(harness: OperatorHarness) -> None:
    add_monitor(harness, {})
    name = {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}
    harness.add_maintenance(**HOUR, namespaceSelector=name)
    harness.cluster.fail("GET", f"*/namespaces/{NAMESPACE}", 403)
    await harness.reconcile()
    assert maintenance(harness) == "True"


@pytest.mark.parametrize("status", [403, 404], ids=["no-permission", "no-definition"])
async def test_without_the_kind_the_operator_goes_on(harness: OperatorHarness, status: int) -> None:
    harness.add_monitor()
    harness.cluster.fail("GET", "*/syntheticmaintenances", status)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")


async def test_no_request_of_a_reconciliation_is_for_maintenance(harness: OperatorHarness) -> None:
    for number in range(20):
        made = {**monitor(f"m{number}")}
        made["metadata"]["uid"] = f"uid-{number}"
        harness.add(MONITORS, made)
    for number in range(3):
        namespaces = {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}
        harness.add_maintenance(f"w{number}", **HOUR, namespaceSelector=namespaces)
    reconciler = await harness.reconciler()
    for number in range(20):
        await reconciler.reconcile((NAMESPACE, f"m{number}"))
    paths = [path for _, path in harness.cluster.requests]
    assert sum("syntheticmaintenances" in path for path in paths) == 1
    assert paths.count(f"/api/v1/namespaces/{NAMESPACE}") == 1
    assert {view.state for view in harness.cache} == {"maintenance"}


async def test_an_invalid_maintenance_affects_no_monitor(harness: OperatorHarness) -> None:
    harness.add_monitor()
    harness.add_maintenance(schedule="0 25 * * *", duration="2h")
    await harness.reconcile()
    assert maintenance(harness) == ""
    assert harness.ready() == ("True", "Scheduled")


async def test_the_status_tells_whether_the_window_is_in_force(harness: OperatorHarness) -> None:
    harness.add_maintenance(start="2026-01-31T09:30:00Z", end="2026-01-31T10:00:00Z")
    seen = []
    for _ in range(3):
        seconds = await harness.reconcile_maintenance("upgrade")
        before = harness.cluster.writes[:]
        assert await harness.reconcile_maintenance("upgrade") == (seconds and seconds - 1)
        assert harness.cluster.writes == before
        seen.append(harness.maintenance_conditions()["Active"][0])
        harness.now = harness.now.replace(minute=30 * len(seen) % 60, hour=9 + len(seen) // 2)
    assert seen == ["False", "True", "False"]
    assert harness.maintenance_conditions()["Ready"] == ("True", "The window is valid")


async def test_a_status_that_another_client_wrote_is_replaced(harness: OperatorHarness) -> None:
    made = harness.add_maintenance(**HOUR)
    path = ObjectPath.of("/apis/monitoring.cadastro.dev/v1alpha1/syntheticmaintenances/upgrade")
    harness.cluster.replace(path, {**made, "status": {"conditions": [{"type": "Ready"}]}})
    await harness.reconcile_maintenance("upgrade")
    assert harness.maintenance_conditions()["Active"][0] == "True"


async def test_a_deleted_maintenance_ends(harness: OperatorHarness) -> None:
    harness.add_monitor()
    harness.add_maintenance(**HOUR)
    await harness.reconcile()
    path = "/apis/monitoring.cadastro.dev/v1alpha1/syntheticmaintenances/upgrade"
    harness.cluster.delete(ObjectPath.of(path))
    assert await harness.reconcile_maintenance("upgrade") is None
    await harness.reconcile()
    assert maintenance(harness) == "False"
    assert sorted(harness.events()) == ["MaintenanceEnded", "MaintenanceStarted"]
