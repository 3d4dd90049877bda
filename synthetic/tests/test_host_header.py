"""The header Host of a journey: servers of several hosts route by it, and may get secrets."""

from pathlib import Path

import pytest

from synthetic.probe.allowed_hosts import AllowedHosts
from synthetic.probe.credentials import Credentials
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from synthetic.probe.runner import RunOptions
from synthetic.probe.transport import Transport
from tests.support.synthetic.mock_api import Document, write_call
from tests.support.synthetic.scripted_api import ANY, LIMITS, ScriptedApi

KEY = {"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "K"}}}}
ALLOWED = frozenset({"127.0.0.1", "shop.example", "::1"})
SECRETS = ("credentials", "inputs", "certificate")


def run(
    api: ScriptedApi, folder: Path, host: str, secret: str, hosts: AllowedHosts, name: str = "Host"
) -> RunResult:
    """Replay a call with a header Host, and a secret for some hosts."""
    header = {"name": name, "in": "header"}
    operation: Document = {"parameters": [header], "responses": {"200": ANY}}
    operation["security"] = [{"key": []}] if secret == "credentials" else []
    step: Document = {"parameters": [{**header, "value": host}]}
    file = write_call(folder, operation, step, contract=KEY)
    credentials = Credentials({"api-key": "Kw7-Zq9-Xv4"}, hosts)
    certificate = Transport(0, None, ("tls.crt", "tls.key"), hosts)
    options = RunOptions(
        input_hosts=hosts if secret == "inputs" else None,
        transport=certificate if secret == "certificate" else Transport(),
    )
    given = credentials if secret == "credentials" else None
    return replay("calls", api.url, given, LIMITS, file=file, options=options)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "host",
    ["mine.example", "mine.example:80", "shop.example@mine.example", "shop.example/x", ""],
    ids=["name", "port", "user", "path", "empty"],
)
def test_a_host_that_may_not_have_the_secrets_gets_no_request(
    api: ScriptedApi, tmp_path: Path, host: str, secret: str
) -> None:
    result = run(api, tmp_path, host, secret, ALLOWED)
    assert (result.result, result.reason) == ("error", "runner")
    assert result.detail.startswith("the header Host: the ")
    assert not api.calls


@pytest.mark.parametrize("name", ["Host", "host"])
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("host", ["shop.example", "Shop.example:8080", "[::1]:80"])
def test_a_host_that_may_have_them_is_sent(
    api: ScriptedApi, tmp_path: Path, host: str, secret: str, name: str
) -> None:
    result = run(api, tmp_path, host, secret, ALLOWED, name)
    assert result.result == "passed", result.detail
    assert api.requests[0][2][name] == host


def test_any_host_is_sent_without_secrets(api: ScriptedApi, tmp_path: Path) -> None:
    result = run(api, tmp_path, "mine.example", "", ALLOWED)
    assert result.result == "passed", result.detail
    assert api.requests[0][2]["Host"] == "mine.example"
