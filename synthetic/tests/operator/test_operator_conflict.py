"""The condition of monitors in a namespace that two operators watch."""

import pytest

from synthetic.operator import monitor_metrics, status_page
from synthetic.operator.api_client import ApiError
from synthetic.operator.conditions import condition
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio
CONFLICT = "OperatorConflict"


async def reconcile(harness: OperatorHarness, contender: str) -> None:
    """Reconcile the monitor while another operator watches its namespace."""
    reconciler = await harness.reconciler()
    await reconciler.reconcile((NAMESPACE, "shop"), contender)


async def test_a_second_operator_is_a_condition_that_is_written_once(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await reconcile(harness, "b/two")
    found = condition(harness.status, CONFLICT)
    assert (found["status"], found["reason"]) == ("True", "AnotherOperator")
    assert "b/two" in found["message"]
    assert harness.events() == [CONFLICT]
    before = harness.cluster.writes[:]
    for _ in range(3):
        await reconcile(harness, "b/two")
    assert harness.cluster.writes == before
    assert harness.ready() == ("True", "Scheduled")


async def test_the_condition_ends_with_the_conflict(harness: OperatorHarness) -> None:
    harness.add_monitor()
    await reconcile(harness, "")
    assert condition(harness.status, CONFLICT) == {}
    await reconcile(harness, "b/two")
    await reconcile(harness, "")
    assert condition(harness.status, CONFLICT) == {}
    await reconcile(harness, "b/two")
    assert [reason for reason in harness.events() if reason != CONFLICT] == []


async def test_the_condition_stays_while_the_api_server_rejects_requests(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor()
    await reconcile(harness, "b/two")
    harness.cluster.fail("GET", "*/jobs", 403)
    with pytest.raises(ApiError):
        await reconcile(harness, "b/two")
    assert harness.ready()[0] == "False"
    assert condition(harness.status, CONFLICT)["status"] == "True"


async def test_the_metrics_have_the_condition(harness: OperatorHarness) -> None:
    harness.add_monitor()
    await reconcile(harness, "b/two")
    families = monitor_metrics.collect(list(harness.cache), harness.now)
    (family,) = [each for each in families if each.name == "cadastro_synthetic_monitor_condition"]
    assert {"type": CONFLICT, "status": "True"}.items() <= family.samples[-1].labels.items()


@pytest.mark.parametrize("holder", ["a/one", "<b>a/one</b>"])
async def test_the_page_names_the_operator_that_manages_a_namespace(
    harness: OperatorHarness, holder: str
) -> None:
    harness.cache.set_holder("elsewhere", holder)
    page = status_page.render(harness.cache, harness.now)
    assert "<b>" not in page
    assert "manages the namespace elsewhere" in page
    harness.cache.set_holder("elsewhere", "")
    assert "elsewhere" not in status_page.render(harness.cache, harness.now)
