"""Notifications of receivers: a webhook on this machine gets the changes of the health."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web
from prometheus_client import generate_latest

from synthetic.operator.api_client import ApiError
from synthetic.operator.notifier import Notifier
from synthetic.operator.operator_metrics import REGISTRY
from synthetic.operator.resources import SECRETS, Object
from synthetic.operator.status import MAX_STATUS_BYTES
from synthetic.operator.webhook import WebhookSender
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import NAMESPACE, START, OperatorHarness

pytestmark = pytest.mark.anyio

FAILURE = termination_message("failed", reason="http_status", status=503)
HOUR = {"reason": "Upgrade", "start": "2026-01-31T10:00:00Z", "end": "2026-01-31T11:00:00Z"}
LOCAL = "127.0.0.0/8"


@dataclass
class Hook:
    """A webhook, and the operator that notifies it."""

    harness: OperatorHarness
    url: str
    sender: WebhookSender
    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    def restart(self) -> None:
        """Forget all attempts, as a new process."""
        harness = self.harness
        harness.notifier = Notifier(self.sender, self.ended.put_nowait, lambda: harness.now)

    async def run(self, result: str, minute: int) -> None:
        """Finish a run and reconcile."""
        ended = "Complete" if result == "passed" else "Failed"
        message = termination_message("passed") if result == "passed" else FAILURE
        self.harness.finish_run(f"job-{minute}", message, ended=ended, minute=minute)
        await self.harness.reconcile()

    async def settle(self, attempts: int = 1) -> None:
        """Wait for attempts, and reconcile after each."""
        for _ in range(attempts):
            async with asyncio.timeout(20):
                assert await self.ended.get() == (NAMESPACE, "shop")
            await self.harness.reconcile()

    async def at(self, minute: int) -> None:
        """Reconcile some minutes after the start, as after a restart."""
        self.restart()
        self.harness.now = START + timedelta(minutes=minute)
        await self.harness.reconcile()

    def events(self) -> list[str]:
        """Return the events of the received notifications."""
        return [json.loads(body)["event"] for _, body in self.requests]

    def record(self) -> Object:
        """Return the record of the receiver."""
        (found,) = self.harness.status.get("notified", [{}])
        return dict(found)


@pytest.fixture
async def hook(harness: OperatorHarness) -> AsyncIterator[Hook]:
    """A webhook that accepts everything; the operator may reach it."""
    async with WebhookSender(harness.api, [LOCAL]) as sender:
        made = Hook(harness, "", sender)
        made.free.set()
        made.restart()

        async def receive(request: web.Request) -> web.Response:
            made.requests.append((dict(request.headers), await request.read()))
            await made.free.wait()
            return web.Response(status=made.status, headers={"Location": "/other"})

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", receive)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield made
        made.free.set()
        assert harness.notifier
        await harness.notifier.close()
        await runner.cleanup()


async def failing(hook: Hook, webhook: Object | None = None, **more: Any) -> None:
    """Create a monitor with a receiver, and let a run pass and another fail."""
    receiver = {"name": "ops", "webhook": webhook or {"url": hook.url}, **more.pop("receiver", {})}
    hook.harness.add_monitor(notify=[receiver], thresholds={"failures": 1, "outOf": 1}, **more)
    await hook.run("passed", 0)
    await hook.run("failed", 5)


def add_secret(harness: OperatorHarness, hosts: str, **values: str) -> None:
    """Create the Secret `hook` whose owner allows hosts."""
    data = {name: base64.b64encode(text.encode()).decode() for name, text in values.items()}
    annotations = {"monitoring.cadastro.dev/hosts": hosts} if hosts else {}
    metadata = {"name": "hook", "namespace": NAMESPACE, "annotations": annotations}
    harness.add(SECRETS, {"metadata": metadata, "data": data})


def from_secret(key: str) -> Object:
    """Return a reference to a key of the Secret `hook`."""
    return {"secretKeyRef": {"name": "hook", "key": key}}


async def test_a_failure_and_the_recovery_are_sent_once_each(hook: Hook) -> None:
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


async def test_a_monitor_that_never_failed_is_not_notified(hook: Hook) -> None:
    hook.harness.add_monitor(notify=[{"name": "ops", "webhook": {"url": hook.url}}])
    await hook.run("passed", 0)
    await hook.at(5)
    assert hook.requests == []
    assert "notified" not in hook.harness.status


async def test_the_time_and_the_body_are_signed_with_a_key_of_a_secret(hook: Hook) -> None:
    add_secret(hook.harness, "127.0.0.1", url=f"{hook.url}?token=x\n", key="s3cret\n")
    await failing(hook, {"urlFrom": from_secret("url"), "signingKeyFrom": from_secret("key")})
    await hook.settle()
    ((headers, body),) = hook.requests
    moment = headers["X-Synthetic-Timestamp"]
    assert int(moment) == int(hook.harness.now.timestamp()) - 1
    digest = hmac.new(b"s3cret", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Synthetic-Signature-256"] == f"sha256={digest}"


@pytest.mark.parametrize("status", [302, 500], ids=["redirect", "server-error"])
async def test_a_failed_delivery_is_retried_after_a_restart(hook: Hook, status: int) -> None:
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


async def test_nothing_is_sent_in_maintenance(hook: Hook) -> None:
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


async def test_a_reminder_is_sent_after_its_interval(hook: Hook) -> None:
    await failing(hook, schedule="0 0 * * *", receiver={"resendInterval": "1h"})
    await hook.settle()
    hook.restart()
    assert await hook.harness.reconcile() == 3599
    await hook.at(64)
    assert len(hook.requests) == 1
    await hook.at(66)
    await hook.settle()
    assert [json.loads(body)["resent"] for _, body in hook.requests] == [False, True]


@pytest.mark.parametrize(
    ("hosts", "keys", "error"),
    [
        (None, {}, "the Secret hook does not exist"),
        ("", {"url": "URL"}, "the Secret hook does not allow the host of the receiver"),
        ("other.example", {"url": "URL"}, "monitoring.cadastro.dev/hosts=other.example,HOST"),
        ("127.0.0.1", {"other": "x"}, "the Secret hook has no key url"),
        ("*", {"url": "postgres://u:p@127.0.0.1/"}, "not like https://hooks.example/path"),
    ],
    ids=["missing", "no-annotation", "another-host", "no-key", "no-webhook"],
)
async def test_a_secret_that_does_not_allow_the_host_is_not_used(
    hook: Hook, hosts: str | None, keys: dict[str, str], error: str
) -> None:
    if hosts is not None:
        values = {name: text.replace("URL", hook.url) for name, text in keys.items()}
        add_secret(hook.harness, hosts, **values)
    await failing(hook, {"urlFrom": from_secret("url")})
    await hook.settle()
    assert hook.requests == []
    assert error in hook.record()["error"]
    assert "postgres" not in json.dumps(hook.harness.status)


async def test_a_key_is_not_used_for_a_host_that_its_secret_does_not_allow(hook: Hook) -> None:
    add_secret(hook.harness, "other.example", key="s3cret")
    await failing(hook, {"url": hook.url, "signingKeyFrom": from_secret("key")})
    await hook.settle()
    assert hook.requests == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254",
     "10.0.0.1", "[64:ff9b::7f00:1]"],
    ids=["loopback", "name", "number", "ipv6", "mapped", "metadata", "private", "nat64"],
)  # fmt: skip
async def test_an_address_that_is_not_public_is_refused(
    hook: Hook, harness: OperatorHarness, host: str
) -> None:
    async with WebhookSender(harness.api, []) as sender:
        hook.sender = sender
        hook.restart()
        await failing(hook, {"url": hook.url.replace("127.0.0.1", host)})
        await hook.settle()
    assert hook.requests == []
    assert "NOTIFY_NETWORKS" in hook.record()["error"] or host.isdecimal()


async def test_a_slow_receiver_does_not_delay_the_reconciliation(hook: Hook) -> None:
    hook.free.clear()
    await failing(hook)
    await hook.run("failed", 10)
    assert hook.harness.status["totals"]["failed"] == 2
    hook.free.set()
    await hook.settle()
    assert len(hook.requests) == 1


async def test_a_status_that_is_not_written_causes_no_second_notification(hook: Hook) -> None:
    await failing(hook)
    async with asyncio.timeout(20):
        await hook.ended.get()
    hook.harness.cluster.fail("PUT", "*/status", 409)
    with pytest.raises(ApiError):
        await hook.harness.reconcile()
    for _ in range(2):
        await hook.harness.reconcile()
    assert (len(hook.requests), hook.record()["health"]) == (1, "False")


async def test_the_record_of_a_removed_receiver_is_dropped(hook: Hook) -> None:
    await failing(hook)
    await hook.settle()
    hook.harness.update_spec(notify=[])
    await hook.harness.reconcile()
    assert "notified" not in hook.harness.status


async def test_the_errors_of_all_receivers_keep_the_limit_of_the_status(
    hook: Hook, harness: OperatorHarness
) -> None:
    async with WebhookSender(harness.api, []) as sender:
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
