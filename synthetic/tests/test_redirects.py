"""Redirects: followed by option, with the methods of RFC 9110, 15.4, and without credentials."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthetic.probe.allowed_hosts import AllowedHosts
from synthetic.probe.credentials import Credentials
from synthetic.probe.masking import MASK
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from synthetic.probe.runner import RunOptions
from synthetic.probe.transport import Transport
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.mock_api import Document, write_call
from tests.support.synthetic.scripted_api import (
    ANY,
    LIMITS,
    Reply,
    ScriptedApi,
    run_scripted_api,
)
from tests.support.synthetic.socket_server import run_socket_server, send

KEY = {"components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "K"}}}}
SECRETS = {"api-key": "Kw7-Zq9-Xv4", "token": "Tw7-Zq9-Xv4"}


@pytest.fixture
def other() -> Iterator[ScriptedApi]:
    """A server of another origin: the same host with another port."""
    with run_scripted_api() as served:
        yield served


def run(
    api: ScriptedApi,
    folder: Path,
    *,
    method: str = "get",
    limit: int = 5,
    contract: Document | None = None,
    input_hosts: AllowedHosts = None,
) -> RunResult:
    """Replay a call of /a that follows redirects."""
    body: Document = {"requestBody": {"content": {"application/json": {}}}}
    operation: Document = {**(body if method == "post" else {}), "responses": {"200": ANY}}
    operation["security"] = [{"key": []}] if contract else []
    headers = [{"name": n, "in": "header", "value": "mine"} for n in ("X-Session-Token", "X-Mine")]
    step: Document = {"parameters": headers}
    operation["parameters"] = [{"name": each["name"], "in": "header"} for each in headers]
    if method == "post":
        step["requestBody"] = {"payload": {"name": "Ana"}}
    file = write_call(folder, operation, step, path="/a", method=method, contract=contract)
    options = RunOptions(transport=Transport(limit), input_hosts=input_hosts)
    credentials = Credentials(SECRETS)
    return replay("calls", api.url, credentials, LIMITS, file=file, options=options)


def redirect(api: ScriptedApi, status: int, location: str, route: str = "GET /a") -> None:
    """Let a route redirect."""
    api.replies[route] = [Reply(status, headers={"Location": location})]


def test_a_redirect_is_the_response_unless_an_option_follows_it(
    api: ScriptedApi, tmp_path: Path
) -> None:
    redirect(api, 302, "/b")
    result = run(api, tmp_path, limit=0)
    assert (result.result, result.status) == ("failed", 302)
    assert api.calls == ["GET /a"]


@pytest.mark.parametrize(
    ("method", "status", "followed"),
    [
        ("get", 301, "GET"),
        ("get", 302, "GET"),
        ("get", 303, "GET"),
        ("get", 307, "GET"),
        ("get", 308, "GET"),
        ("post", 301, "GET"),
        ("post", 302, "GET"),
        ("post", 303, "GET"),
        ("post", 307, "POST"),
        ("post", 308, "POST"),
        ("delete", 301, "DELETE"),
        ("delete", 302, "DELETE"),
        ("delete", 303, "GET"),
    ],
)
def test_the_method_follows_rfc_9110(
    api: ScriptedApi, tmp_path: Path, method: str, status: int, followed: str
) -> None:
    redirect(api, status, "b?x=1", f"{method.upper()} /a")
    result = run(api, tmp_path, method=method)
    assert result.result == "passed", result.detail
    assert result.steps[0].request_count == 2
    assert api.calls == [f"{method.upper()} /a", f"{followed} /b?x=1"]
    _, _, headers, body = api.requests[1]
    assert bool(body) is (followed == "POST")
    assert ("Content-Type" in headers) is (followed == "POST")


@pytest.mark.parametrize("status", [300, 304, 305])
def test_other_statuses_are_not_followed(api: ScriptedApi, tmp_path: Path, status: int) -> None:
    redirect(api, status, "/b")
    assert run(api, tmp_path).status == status
    assert api.calls == ["GET /a"]


def test_a_redirect_without_a_location_is_the_response(api: ScriptedApi, tmp_path: Path) -> None:
    api.replies["GET /a"] = [Reply(302)]
    assert run(api, tmp_path).status == 302


def test_the_same_origin_gets_the_credentials(api: ScriptedApi, tmp_path: Path) -> None:
    redirect(api, 302, f"{api.url}/b")
    assert run(api, tmp_path, contract=KEY).result == "passed"
    assert [headers.get("K") for _, _, headers, _ in api.requests] == [
        SECRETS["api-key"],
        SECRETS["api-key"],
    ]
    assert api.requests[1][2]["X-Session-Token"] == "mine"


def test_another_origin_gets_no_credentials_and_nor_does_the_way_back(
    api: ScriptedApi, other: ScriptedApi, tmp_path: Path
) -> None:
    redirect(api, 302, f"{other.url}/b")
    redirect(other, 302, f"{api.url}/c", "GET /b")
    assert run(api, tmp_path, contract=KEY).result == "passed"
    sent = [*api.requests[:1], *other.requests, *api.requests[1:]]
    assert [headers.get("K") for _, _, headers, _ in sent] == [SECRETS["api-key"], None, None]
    assert [headers.get("X-Session-Token") for _, _, headers, _ in sent] == ["mine", None, None]
    assert [headers["X-Mine"] for _, _, headers, _ in sent] == ["mine"] * 3


def test_secret_inputs_do_not_follow_a_redirect_to_a_host_that_may_not_have_them(
    api: ScriptedApi, tmp_path: Path
) -> None:
    redirect(api, 307, "http://other.invalid/b", "POST /a")
    result = run(api, tmp_path, method="post", input_hosts=frozenset({"127.0.0.1"}))
    assert (result.result, result.reason) == ("failed", "auth")
    assert "the secret inputs may not be sent to other.invalid" in result.detail


@pytest.mark.parametrize(("hops", "passes"), [(5, True), (6, False)])
def test_the_number_of_redirects_is_limited(
    api: ScriptedApi, tmp_path: Path, hops: int, *, passes: bool
) -> None:
    more = [Reply(302, headers={"Location": "/a"})] * hops
    api.replies["GET /a"] = [*more, Reply()]
    result = run(api, tmp_path)
    assert (result.result == "passed") is passes
    assert len(api.calls) == 6
    if not passes:
        assert (result.reason, result.detail) == ("http_status", "there are more than 5 redirects")


@pytest.mark.parametrize(
    "location", ["ftp://127.0.0.1/b", "http://ana:pw@127.0.0.1/b", "http://[::1/b", "http://"]
)
def test_an_invalid_location_fails_the_step(
    api: ScriptedApi, tmp_path: Path, location: str
) -> None:
    redirect(api, 302, location)
    result = run(api, tmp_path)
    assert (result.result, result.reason) == ("failed", "http_status")
    assert "pw" not in result.detail


def test_a_location_with_other_characters_is_escaped(api: ScriptedApi, tmp_path: Path) -> None:
    redirect(api, 302, "/\xe3o %20b#part")
    assert run(api, tmp_path).result == "passed"
    assert api.calls == ["GET /a", "GET /%E3o%20%20b"]


def test_https_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    moved = send(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/x?token=t\r\n\r\n")
    file = write_call(tmp_path, {})
    with run_socket_server(moved, context) as url:
        options = RunOptions(transport=Transport(5))
        result = replay("calls", url, None, LIMITS, file=file, options=options)
    assert result.reason == "http_status"
    assert result.detail == "a redirect leads from https to http://127.0.0.1:9"


def test_another_origin_gets_no_header_with_a_secret_value_and_not_the_host_header(
    api: ScriptedApi, other: ScriptedApi, tmp_path: Path
) -> None:
    redirect(api, 302, f"{other.url}/b")
    given = {"K": "of-the-journey", "Host": "shop.example", "X-Mine": "$inputs.pin"}
    parameters = [{"name": name, "in": "header"} for name in given]
    operation: Document = {"parameters": parameters, "responses": {"200": ANY}}
    operation["security"] = [{"key": []}]
    step: Document = {
        "parameters": [{**each, "value": given[each["name"]]} for each in operation["parameters"]]
    }
    pin: Document = {"pin": {"type": "string"}}
    file = write_call(tmp_path, operation, step, path="/a", contract=KEY, inputs=pin)
    MASK.add("Pw7-Zq9-Xv4")
    options = RunOptions(transport=Transport(1), inputs={"pin": "Pw7-Zq9-Xv4"})
    assert replay("calls", api.url, None, LIMITS, file=file, options=options).result == "passed"
    first, second = api.requests[0][2], other.requests[0][2]
    assert {name: first[name] for name in given} == {**given, "X-Mine": "Pw7-Zq9-Xv4"}
    assert second["Host"] == other.url.removeprefix("http://")
    assert not {"K", "X-Mine"} & second.keys()
