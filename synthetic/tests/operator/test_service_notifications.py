"""Notifications of services that Apprise knows, sent to real servers on this machine."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from synthetic.operator.notification_sender import NotificationSender
from synthetic.operator.receiver_secrets import SERVICES_ANNOTATION
from synthetic.operator.service_delivery import with_key
from synthetic.operator.service_notification import SERVICES
from tests.support.synthetic.webhook_harness import Webhook, add_secret, failing, from_secret

pytestmark = pytest.mark.anyio

HIDDEN = "s3cret"  # in URLs, and in no status
SERVICE = {"apprise": {"urlFrom": from_secret("url")}}


PRINT_SCHEMES = """
import apprise, json
kinds = ("protocols", "secure_protocols")
known = apprise.Apprise().details()["schemas"]
print(json.dumps([name for each in known for kind in kinds for name in each[kind] or ()]))
"""


@dataclass
class Mailbox:
    """What a mail server has received."""

    messages: list[Envelope] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        """Accept a message."""
        self.messages.append(envelope)
        return "250 OK"


@pytest.fixture
async def mailbox(anyio_backend: str) -> AsyncIterator[Mailbox]:  # noqa: ARG001 - for anyio
    """A mail server on this machine."""
    found = Mailbox()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: SMTP(found), "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found


def add_url(hook: Webhook, url: str, services: str) -> None:
    """Create the Secret with the URL of a service; ``services`` is its annotation."""
    add_secret(hook.harness, services, annotation="notify-services", url=url)


def ntfy(hook: Webhook) -> str:
    """Return the URL of a topic at the webhook."""
    account = f"{HIDDEN}:{HIDDEN}"
    return hook.url.replace("http://", f"ntfy://{account}@").replace("/hook", "/topic")


async def test_a_service_gets_the_failure_and_the_recovery(hook: Webhook) -> None:
    hook.status = 200
    add_url(hook, ntfy(hook), "slack, ntfy")
    await failing(hook, kind=SERVICE)
    await hook.settle()
    assert "error" not in hook.record()
    await hook.run("passed", 10)
    await hook.settle()
    bodies = [json.loads(body) for _, body in hook.requests]
    assert [body["title"] for body in bodies] == [
        "here/shop is unhealthy",
        "here/shop is healthy again",
    ]
    assert "http_status 503" in bodies[0]["message"]
    assert "Target: http://shop.example" in bodies[0]["message"]
    assert hook.record()["health"] == "True"


async def test_a_mail_is_sent(hook: Webhook, mailbox: Mailbox) -> None:
    url = f"mailto://127.0.0.1:{mailbox.port}?from=monitor@shop.example&to=ops@shop.example"
    add_url(hook, url, "mailto")
    await failing(hook, kind=SERVICE)
    await hook.settle()
    (envelope,) = mailbox.messages
    assert envelope.rcpt_tos == ["ops@shop.example"]
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["Subject"] == "here/shop is unhealthy"
    assert "http_status 503" in str(message)


@pytest.mark.parametrize(
    ("url", "services", "error"),
    [
        ("NTFY", "", f"kubectl annotate secret hook --overwrite {SERVICES_ANNOTATION}=SERVICE"),
        ("NTFY", "slack", "notify-services=slack,SERVICE"),
        ("file:///etc/passwd", "*", "starts with none of discord, "),
        ("dbus://", "*", "starts with none of "),
        (f"postgres://user:{HIDDEN}@db/", "*", "starts with none of "),
        (f"slack://{HIDDEN}", "slack", "not one of its service in Apprise's notation"),
        (f"ntfy://{HIDDEN}@127.0.0.1:1/topic", "ntfy", "the service cannot be reached"),
    ],
    ids=["no-services", "another-service", "file", "desktop", "database", "notation", "closed"],
)  # fmt: skip
async def test_a_receiver_that_must_or_can_not_be_used_names_the_reason(
    hook: Webhook, url: str, services: str, error: str
) -> None:
    add_url(hook, url.replace("NTFY", ntfy(hook)), services)
    await failing(hook, kind=SERVICE)
    await hook.settle()
    assert hook.requests == []
    assert error in hook.record()["error"]
    assert HIDDEN not in json.dumps(hook.harness.status)
    assert hook.harness.events().count("NotificationFailed") == 1


async def test_the_status_of_a_service_that_refuses_is_told(hook: Webhook) -> None:
    hook.status = 500
    add_url(hook, ntfy(hook), "ntfy")
    await failing(hook, kind=SERVICE)
    await hook.settle()
    assert hook.record()["error"] == "the service responded with 500"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433"])
async def test_a_service_at_an_address_that_is_not_public_is_refused(
    hook: Webhook, host: str
) -> None:
    async with NotificationSender(hook.harness.api, []) as sender:
        hook.sender = sender
        hook.restart()
        add_url(hook, ntfy(hook).replace("127.0.0.1", host), "ntfy")
        await failing(hook, kind=SERVICE)
        await hook.settle()
    assert hook.requests == []
    assert "NOTIFY_NETWORKS" in hook.record()["error"]


def test_apprise_knows_the_services() -> None:
    command = [sys.executable, "-c", PRINT_SCHEMES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) >= SERVICES


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("pagerduty://key@token", "pagerduty://key@token?action=map&dedup=uid"),
        ("pagerduty://key@token?region=eu", "pagerduty://key@token?region=eu&action=map&dedup=uid"),
        ("pagerduty://key@token?dedup=mine", "pagerduty://key@token?dedup=mine"),
        ("slack://token", "slack://token"),
    ],
)
def test_an_incident_of_pagerduty_is_resolved_by_the_recovery(url: str, expected: str) -> None:
    assert with_key(url, "uid") == expected
