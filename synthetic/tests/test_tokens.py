"""Tokens of OAuth 2 and OpenID Connect, and the hosts that receive credentials."""

import base64
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
import yaml

from synthetic.probe.credentials import gather_credentials
from synthetic.probe.replay import replay
from synthetic.probe.results import ProbeError, RunResult
from tests.support.synthetic.mock_api import (
    Document,
    write_call,
)
from tests.support.synthetic.mock_shop import LONG_LIMITS, MockShop, respond, run_mock_shop

SECRET = "s3cr&t välue"


Answer = Callable[[BaseHTTPRequestHandler], object]


@pytest.fixture
def issuer() -> Iterator[MockShop]:
    """A server of tokens and of a discovery document."""
    with run_mock_shop() as served:
        yield served


def replay_grants(
    shop: MockShop, folder: Path, schemes: Document, security: list[list[Document]], **values: str
) -> RunResult:
    """Return the result of a journey with one step for each of some securities."""
    paths = {
        f"/{i}": {"get": {"operationId": f"op{i}", "security": each, "responses": {"200": {}}}}
        for i, each in enumerate(security)
    }
    contract = {
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths,
        "components": {"securitySchemes": schemes},
    }  # fmt: skip
    steps = [{"stepId": f"s{i}", "operationId": f"op{i}"} for i in range(len(security))]
    journey = {
        "arazzo": "1.0.1",
        "info": {"title": "t", "version": "1"},
        "sourceDescriptions": [{"name": "api", "url": "api.yaml", "type": "openapi"}],
        "workflows": [{"workflowId": "w", "steps": steps}],
    }
    (folder / "api.yaml").write_text(yaml.safe_dump(contract))
    (folder / "w.arazzo.yaml").write_text(yaml.safe_dump(journey))
    for index in range(len(security)):
        shop.faults[f"GET /{index}"] = respond_empty
    credentials = gather_credentials(None, {"client-secret": SECRET, **values}, {})
    return replay("w", shop.url, credentials, LONG_LIMITS, file=folder / "w.arazzo.yaml")


def respond_empty(handler: BaseHTTPRequestHandler) -> None:
    """Send an empty response."""
    handler.send_response(200)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def oauth2(url: str) -> Document:
    """Return a scheme with the client credentials flow."""
    return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": url, "scopes": {}}}}


def tokens_in_turn(shop: MockShop) -> list[str]:
    """Let a server issue numbered tokens; return the list of those issued."""
    issued: list[str] = []

    def issue(handler: BaseHTTPRequestHandler) -> None:
        issued.append(f"token-{len(issued)}")
        respond(handler, 200, {"access_token": issued[-1], "expires_in": 300})

    shop.faults["POST /token"] = issue
    return issued


def test_each_token_url_and_set_of_scopes_has_its_own_token(
    shop: MockShop, issuer: MockShop, tmp_path: Path
) -> None:
    issued_here, issued_there = tokens_in_turn(shop), tokens_in_turn(issuer)
    schemes = {"here": oauth2("/token"), "there": oauth2(f"{issuer.url}/token")}
    security: list[list[Document]] = [
        [{"here": ["a"]}], [{"there": ["a"]}], [{"here": ["a"]}], [{"here": ["a", "b"]}],
    ]  # fmt: skip
    result = replay_grants(shop, tmp_path, schemes, security, scope="contract")
    assert result.result == "passed", result.detail
    assert (len(issued_here), len(issued_there)) == (2, 1)
    sent = [headers["Authorization"] for method, _, headers in shop.requests if method == "GET"]
    assert sent == [f"Bearer {n}" for n in ("token-0", "token-0", "token-0", "token-1")]


def test_without_asked_scopes_a_token_has_all_of_the_client(shop: MockShop, tmp_path: Path) -> None:
    issued = tokens_in_turn(shop)
    security: list[list[Document]] = [[{"key": ["a"]}], [{"key": ["b"]}]]
    assert replay_grants(shop, tmp_path, {"key": oauth2("/token")}, security).result == "passed"
    assert len(issued) == 1


def test_a_client_with_special_characters_is_encoded_as_in_a_form(
    shop: MockShop, tmp_path: Path
) -> None:
    client = ("shop:monitor", "s/e c+r=t%41é")

    def issue(handler: BaseHTTPRequestHandler) -> None:
        """Decode as RFC 6749, 2.3.1 demands, and as Keycloak does."""
        sent = base64.b64decode(handler.headers["Authorization"].removeprefix("Basic ")).decode()
        is_client = tuple(unquote_plus(part) for part in sent.split(":")) == client
        respond(handler, 200 if is_client else 401, {"access_token": "t0k"})

    shop.faults["POST /token"] = issue
    given = dict(zip(("client-id", "client-secret"), client, strict=True))
    result = replay_grants(shop, tmp_path, {"key": oauth2("/token")}, [[{"key": []}]], **given)
    assert result.result == "passed", result.detail


@pytest.mark.parametrize("expires_in", [None, "soon", float("nan"), "300", 299.5])
def test_a_token_is_used_whatever_its_lifetime(
    shop: MockShop, tmp_path: Path, expires_in: object
) -> None:
    token = {"access_token": "t0k", "expires_in": expires_in}
    shop.faults["POST /token"] = lambda h: respond(h, 200, token)
    security: list[list[Document]] = [[{"key": []}], [{"key": []}]]
    result = replay_grants(shop, tmp_path, {"key": oauth2("/token")}, security)
    assert result.result == "passed", result.detail
    assert shop.calls.count("POST /token") == 1


def test_discovers_the_token_endpoint_of_openid_connect(
    shop: MockShop, issuer: MockShop, tmp_path: Path
) -> None:
    document = {"token_endpoint": f"{issuer.url}/token"}
    methods = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    issuer.faults["GET /.well-known"] = lambda h: respond(h, 200, {**document, **methods})
    url = f"{issuer.url}/.well-known/openid-configuration"
    schemes = {"key": {"type": "openIdConnect", "openIdConnectUrl": url}}
    result = replay_grants(shop, tmp_path, schemes, [[{"key": []}], [{"key": []}]])
    assert result.result == "passed", result.detail
    assert issuer.calls == ["GET /.well-known/openid-configuration", "POST /token"]
    assert "Authorization" not in issuer.requests[1][2]
    assert [headers["Authorization"] for *_, headers in shop.requests] == ["Bearer t.t.t"] * 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda h: respond(h, 404), "http_status"),
        (lambda h: respond(h, 200, []), "schema"),
        (lambda h: respond(h, 200, {"token_endpoint": 5}), "schema"),
        (lambda h: respond(h, 200, {"token_endpoint": "ftp://x/token"}), "schema"),
    ],
)
def test_an_invalid_discovery_document_fails_the_token(
    shop: MockShop, tmp_path: Path, answer: Answer, reason: str
) -> None:
    shop.faults["GET /discovery"] = answer
    schemes = {"key": {"type": "openIdConnect", "openIdConnectUrl": "/discovery"}}
    result = replay_grants(shop, tmp_path, schemes, [[{"key": []}]])
    assert (result.step, result.reason) == ("token", reason)


def test_optional_authentication_is_used(shop: MockShop, tmp_path: Path) -> None:
    schemes = {"key": oauth2("/token")}
    optional: list[list[Document]] = [[{}, {"key": []}]]
    assert replay_grants(shop, tmp_path, schemes, optional).result == "passed"
    assert shop.requests[-1][2]["Authorization"] == "Bearer t.t.t"
    with pytest.raises(ProbeError, match="needs a token"):
        replay("w", shop.url, None, LONG_LIMITS, file=tmp_path / "w.arazzo.yaml")


@pytest.mark.parametrize("kind", ["apiKey", "oauth2", "openIdConnect"])
def test_hosts_that_may_not_have_credentials_receive_none(
    shop: MockShop, issuer: MockShop, tmp_path: Path, kind: str
) -> None:
    discovered = {"token_endpoint": issuer.url.replace("127.0.0.1", "localhost") + "/token"}
    shop.faults["GET /discovery"] = lambda h: respond(h, 200, discovered)
    schemes = {
        "apiKey": {"type": "apiKey", "in": "header", "name": "k"},
        "oauth2": oauth2(f"{issuer.url}/token"),
        "openIdConnect": {"type": "openIdConnect", "openIdConnectUrl": "/discovery"},
    }
    contract = {"components": {"securitySchemes": {"key": schemes[kind]}}}
    file = write_call(tmp_path, {"security": [{"key": []}]}, contract=contract)
    allowed = "127.0.0.1" if kind == "openIdConnect" else "other.example"
    values = {"client-secret": SECRET, "api-key": SECRET}
    credentials = gather_credentials(None, values, {"CREDENTIALS_HOSTS": allowed})
    try:
        result = replay("calls", shop.url, credentials, LONG_LIMITS, file=file)
        message = result.detail
        assert (result.step, result.reason) == ("token", "auth")
    except ProbeError as error:
        message = str(error)
    assert "the credentials may not be sent to" in message
    assert issuer.requests == []
    assert [method for method, *_ in shop.requests] == ["GET"] * (kind == "openIdConnect")
