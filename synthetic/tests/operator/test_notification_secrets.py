"""Secrets and addresses of the receivers of notifications."""

import hashlib
import hmac
import json

import pytest

from synthetic.operator.notification_sender import NotificationSender
from tests.support.synthetic.operator_harness import OperatorHarness
from tests.support.synthetic.webhook_harness import Webhook, add_secret, failing, from_secret

pytestmark = pytest.mark.anyio


async def test_the_time_and_the_body_are_signed_with_a_key_of_a_secret(
    hook: Webhook,
) -> None:
    add_secret(hook.harness, "127.0.0.1", url=f"{hook.url}?token=x\n", key="s3cret\n")
    await failing(hook, {"urlFrom": from_secret("url"), "signingKeyFrom": from_secret("key")})
    await hook.settle()
    ((headers, body),) = hook.requests
    moment = headers["X-Synthetic-Timestamp"]
    assert int(moment) == int(hook.harness.now.timestamp()) - 1
    digest = hmac.new(b"s3cret", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Synthetic-Signature-256"] == f"sha256={digest}"


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
    hook: Webhook, hosts: str | None, keys: dict[str, str], error: str
) -> None:
    if hosts is not None:
        values = {name: text.replace("URL", hook.url) for name, text in keys.items()}
        add_secret(hook.harness, hosts, **values)
    await failing(hook, {"urlFrom": from_secret("url")})
    await hook.settle()
    assert hook.requests == []
    assert error in hook.record()["error"]
    assert "postgres" not in json.dumps(hook.harness.status)


async def test_a_key_is_not_used_for_a_host_that_its_secret_does_not_allow(
    hook: Webhook,
) -> None:
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
    hook: Webhook, harness: OperatorHarness, host: str
) -> None:
    async with NotificationSender(harness.api, []) as sender:
        hook.sender = sender
        hook.restart()
        await failing(hook, {"url": hook.url.replace("127.0.0.1", host)})
        await hook.settle()
    assert hook.requests == []
    assert "NOTIFY_NETWORKS" in hook.record()["error"] or host.isdecimal()
