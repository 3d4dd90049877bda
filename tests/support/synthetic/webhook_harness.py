"""A webhook on this machine that an operator notifies."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import web

from synthetic.operator.notification_sender import NotificationSender
from synthetic.operator.notifier import Notifier
from synthetic.operator.resources import SECRETS, Object
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import NAMESPACE, START, OperatorHarness

FAILURE = termination_message("failed", reason="http_status", status=503)
LOCAL = "127.0.0.0/8"


@dataclass
class Webhook:
    """A webhook, and the operator that notifies it."""

    harness: OperatorHarness
    url: str
    sender: NotificationSender
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


@asynccontextmanager
async def serve_webhook(harness: OperatorHarness) -> AsyncIterator[Webhook]:
    """A webhook that accepts everything; the operator may reach it."""
    async with NotificationSender(harness.api, [LOCAL]) as sender:
        made = Webhook(harness, "", sender)
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


async def failing(hook: Webhook, webhook: Object | None = None, **more: Any) -> None:
    """Create a monitor with a receiver, and let a run pass and another fail."""
    kind = more.pop("kind", {"webhook": webhook or {"url": hook.url}})
    receiver = {"name": "ops", **kind, **more.pop("receiver", {})}
    hook.harness.add_monitor(notify=[receiver], thresholds={"failures": 1, "outOf": 1}, **more)
    await hook.run("passed", 0)
    await hook.run("failed", 5)


def add_secret(
    harness: OperatorHarness, allowed: str, *, annotation: str = "hosts", **values: str
) -> None:
    """Create the Secret `hook` whose owner allows hosts, or what another annotation has."""
    data = {name: base64.b64encode(text.encode()).decode() for name, text in values.items()}
    annotations = {f"monitoring.cadastro.dev/{annotation}": allowed} if allowed else {}
    metadata = {"name": "hook", "namespace": NAMESPACE, "annotations": annotations}
    harness.add(SECRETS, {"metadata": metadata, "data": data})


def from_secret(key: str) -> Object:
    """Return a reference to a key of the Secret `hook`."""
    return {"secretKeyRef": {"name": "hook", "key": key}}
