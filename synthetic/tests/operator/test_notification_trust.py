"""Certificates of webhooks."""

import ssl

import pytest

from servicekit.testing import environment
from servicekit.testing.certificates import strict_by_default
from synthetic.operator.notification_sender import NotificationSender
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.socket_server import run_socket_server, send
from tests.support.synthetic.webhook_harness import LOCAL, Webhook, failing

pytestmark = pytest.mark.anyio

NO_CONTENT = send(b"HTTP/1.1 204 No Content\r\n\r\n")


async def test_a_webhook_may_have_a_private_authority_without_key_identifiers(
    hook: Webhook, authority: Authority
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("hook"))
    trusted = {"SSL_CERT_FILE": str(authority.certificate)}
    with run_socket_server(NO_CONTENT, context) as url, environment(**trusted), strict_by_default():
        async with NotificationSender(hook.harness.api, [LOCAL]) as hook.sender:
            hook.restart()
            await failing(hook, {"url": f"{url}/hook"})
            await hook.settle()
    assert hook.record() == {"name": "ops", "health": "False", "at": "2026-01-31T09:05:07Z"}
