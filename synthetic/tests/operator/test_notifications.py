"""Notifications of receivers: a webhook on this machine gets the changes of the health."""

import asyncio
import json

import orjson
import pytest
from prometheus_client import generate_latest

from synthetic.operator.api_client import ApiError
from synthetic.operator.notification_sender import NotificationSender
from synthetic.operator.operator_metrics import REGISTRY
from synthetic.operator.status import MAX_STATUS_BYTES
from tests.support.synthetic.operator_harness import OperatorHarness
from tests.support.synthetic.webhook_harness import Webhook, failing

pytestmark = pytest.mark.anyio

HOUR = {"reason": "Upgrade", "start": "2026-01-31T10:00:00Z", "end": "2026-01-31T11:00:00Z"}


async def test_a_failure_and_the_recovery_are_sent_once_each(hook: Webhook) -> None:
    await failing(hook)
    await hook.settle()
    ((_, body),) = hook.requests
    found = json.loads(body)
    assert (found["version"], found["event"], found["reason"]) == (1, "unhealthy", "Failing")
    assert found["monitor"]["name"] == "shop"
    assert found["monitor"]["target"] == "http://shop.example"
    assert "http_status 503" in found["message"]
    assert found["since"] == "2026-01-31T09:05:06Z"
    assert hook.record()["health"] == "False"
    await hook.run("failed", 10)
    for minute in (11, 12):
        await hook.at(minute)
    assert hook.events() == ["unhealthy"]
    await hook.run("passed", 15)
    await hook.settle()
    await hook.at(20)
    assert hook.events() == ["unhealthy", "healthy"]
    assert hook.record()["health"] == "True"
    assert b'cadastro_synthetic_notifications_total{result="delivered"}' in generate_latest(
        REGISTRY
    )


async def test_a_monitor_that_never_failed_is_not_notified(hook: Webhook) -> None:
    hook.harness.add_monitor(notify=[{"name": "ops", "webhook": {"url": hook.url}}])
    await hook.run("passed", 0)
    await hook.at(5)
    assert hook.requests == []
    assert "notified" not in hook.harness.status


@pytest.mark.parametrize("status", [302, 500], ids=["redirect", "server-error"])
async def test_a_failed_delivery_is_retried_after_a_restart(hook: Webhook, status: int) -> None:
    hook.status = status
    await failing(hook, schedule="0 0 * * *")
    await hook.settle()
    record = hook.record()
    assert record == {
        "name": "ops",
        "attempts": 1,
        "retryAt": "2026-01-31T09:05:22Z",
        "error": f"the receiver responded with {status}",
    }
    assert hook.harness.events().count("NotificationFailed") == 1
    hook.restart()
    assert await hook.harness.reconcile() == 14
    assert len(hook.requests) == 1
    await hook.at(6)
    await hook.settle()
    assert hook.record()["attempts"] == 2
    assert hook.harness.events().count("NotificationFailed") == 1
    hook.status = 200
    await hook.at(60)
    await hook.settle()
    assert hook.record() == {"name": "ops", "health": "False", "at": "2026-01-31T10:00:02Z"}
    ids = {json.loads(body)["id"] for _, body in hook.requests}
    assert (len(hook.requests), len(ids)) == (3, 1)


async def test_each_receiver_that_fails_at_the_same_moment_has_an_event(hook: Webhook) -> None:
    hook.status = 500
    receivers = [{"name": name, "webhook": {"url": hook.url}} for name in ("ops", "sales", "shop")]
    hook.harness.add_monitor(notify=receivers, thresholds={"failures": 1, "outOf": 1})
    await hook.run("passed", 0)
    await hook.run("failed", 5)
    async with asyncio.timeout(20):
        for _ in receivers:
            await hook.ended.get()
    await hook.harness.reconcile()
    assert hook.harness.events().count("NotificationFailed") == len(receivers)


async def test_nothing_is_sent_in_maintenance(hook: Webhook) -> None:
    await failing(hook, maintenance=[HOUR])
    await hook.settle()
    await hook.at(61)
    await hook.run("passed", 65)
    await hook.at(119)
    assert hook.events() == ["unhealthy"]
    await hook.at(121)
    await hook.run("passed", 125)
    await hook.settle()
    assert hook.events() == ["unhealthy", "healthy"]


async def test_a_reminder_is_sent_after_its_interval(hook: Webhook) -> None:
    await failing(hook, schedule="0 0 * * *", receiver={"resendInterval": "1h"})
    await hook.settle()
    hook.restart()
    assert await hook.harness.reconcile() == 3599
    await hook.at(64)
    assert len(hook.requests) == 1
    await hook.at(66)
    await hook.settle()
    assert [json.loads(body)["resent"] for _, body in hook.requests] == [False, True]


async def test_a_slow_receiver_does_not_delay_the_reconciliation(hook: Webhook) -> None:
    hook.free.clear()
    await failing(hook)
    await hook.run("failed", 10)
    assert hook.harness.status["totals"]["failed"] == 2
    hook.free.set()
    await hook.settle()
    assert len(hook.requests) == 1


async def test_a_status_that_is_not_written_causes_no_second_notification(
    hook: Webhook,
) -> None:
    await failing(hook)
    async with asyncio.timeout(20):
        await hook.ended.get()
    hook.harness.cluster.fail("PUT", "*/status", 409)
    with pytest.raises(ApiError):
        await hook.harness.reconcile()
    for _ in range(2):
        await hook.harness.reconcile()
    assert (len(hook.requests), hook.record()["health"]) == (1, "False")


async def test_the_record_of_a_removed_receiver_is_dropped(hook: Webhook) -> None:
    await failing(hook)
    await hook.settle()
    hook.harness.update_spec(notify=[])
    await hook.harness.reconcile()
    assert "notified" not in hook.harness.status


async def test_the_errors_of_all_receivers_keep_the_limit_of_the_status(
    hook: Webhook, harness: OperatorHarness
) -> None:
    async with NotificationSender(harness.api, []) as sender:
        hook.sender = sender
        hook.restart()
        receivers = [{"name": f"{n}{'r' * 62}", "webhook": {"url": hook.url}} for n in range(5)]
        harness.add_monitor(notify=receivers, thresholds={"failures": 1, "outOf": 1})
        await hook.run("passed", 0)
        run = f"2026-01-31T08:00:00Z failed 812 {'d' * 80}"
        harness.change_status({**harness.status, "runs": [run] * 90})
        await hook.run("failed", 5)
        for _ in receivers:
            await hook.settle()
            assert len(orjson.dumps(harness.status)) <= MAX_STATUS_BYTES
    assert len(harness.status["notified"]) == len(receivers)
