"""Authentication by the security schemes of a contract, and secrets in outputs."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import yaml

from synthetic.probe.credentials import Credentials, gather_credentials
from synthetic.probe.masking import MASK
from synthetic.probe.replay import replay
from synthetic.probe.results import ProbeError, RunResult
from tests.support.synthetic.mock_api import (
    Document,
    MockApi,
    ReceivedRequest,
    run_mock_api,
    write_call,
)
from tests.support.synthetic.mock_shop import LONG_LIMITS, MockShop, respond, run_mock_shop

SECRET = "s3cr&t välue"
USER = {"username": "u", "password": "pass"}
PROGRAM = Path(sys.executable).with_name("synthetic")


def call_secured(
    folder: Path,
    scheme: Document,
    credentials: dict[str, str],
    *,
    parameters: list[Document] | None = None,
    security: list[Document] | None = None,
) -> tuple[RunResult, ReceivedRequest]:
    """Return the result and the request of a call that a security scheme protects."""
    contract = {"components": {"securitySchemes": {"key": scheme}}}
    operation = {"security": security or [{"key": []}]}
    step = {"parameters": parameters or []}
    operation["parameters"] = [{"name": p["name"], "in": p["in"]} for p in parameters or []]
    file = write_call(folder, operation, step, contract=contract)
    with run_mock_api(MockApi()) as api:
        given = gather_credentials(None, credentials, {})
        result = replay("calls", api.url, given, LONG_LIMITS, file=file)
    return result, api.requests[0]


def test_an_api_key_is_sent_where_the_contract_says(tmp_path: Path) -> None:
    key = {"api-key": "a b=&"}
    header = {"type": "apiKey", "in": "header", "name": "X-Key"}
    assert call_secured(tmp_path, header, key)[1].headers["x-key"] == "a b=&"
    query = {"type": "apiKey", "in": "query", "name": "the key"}
    assert call_secured(tmp_path, query, key)[1].target == "/x?the+key=a+b%3D%26"
    cookie = {"type": "apiKey", "in": "cookie", "name": "sid"}
    assert call_secured(tmp_path, cookie, key)[1].headers["cookie"] == "sid=a%20b%3D%26"


def test_an_api_key_of_the_journey_is_kept(tmp_path: Path) -> None:
    for location in ("header", "query", "cookie"):
        scheme = {"type": "apiKey", "in": location, "name": "k"}
        given = [{"name": "k", "in": location, "value": "own"}]
        request = call_secured(tmp_path, scheme, {"api-key": SECRET}, parameters=given)[1]
        assert "own" in f"{request.target} {request.headers}"
        assert "s3cr" not in f"{request.target} {request.headers}"


def test_an_api_key_follows_other_parameters(tmp_path: Path) -> None:
    query = {"type": "apiKey", "in": "query", "name": "k"}
    given = [{"name": "q", "in": "query", "value": 1}]
    request = call_secured(tmp_path, query, {"api-key": "abc"}, parameters=given)[1]
    assert request.target == "/x?q=1&k=abc"


@pytest.mark.parametrize(
    ("scheme", "credentials", "authorization"),
    [
        ({"type": "http", "scheme": "Basic"}, USER, "Basic dTpwYXNz"),
        ({"type": "http", "scheme": "bearer"}, {"token": "t0k"}, "Bearer t0k"),
        ({"type": "http", "scheme": "bearer"}, {"key.token": "own", "token": "x"}, "Bearer own"),
        ({"type": "oauth2", "flows": {"implicit": {}}}, {"token": "t0k"}, "Bearer t0k"),
        ({"type": "openIdConnect", "openIdConnectUrl": "/x"}, {"token": "t0k"}, "Bearer t0k"),
        ({"type": "http", "scheme": "bearer"}, {}, None),
        ({"type": "http", "scheme": "digest"}, USER, None),
    ],
)  # fmt: skip
def test_the_authorization_of_each_scheme(
    tmp_path: Path, scheme: Document, credentials: dict[str, str], authorization: str | None
) -> None:
    result, request = call_secured(tmp_path, scheme, credentials)
    assert result.result == "passed"
    assert request.headers.get("authorization") == authorization


def test_the_first_alternative_with_credentials_is_used(tmp_path: Path) -> None:
    contract_security: list[Document] = [{"lost": [], "key": []}, {}, {"key": []}]
    scheme = {"type": "http", "scheme": "bearer"}
    request = call_secured(tmp_path, scheme, {"token": "t0k"}, security=contract_security)[1]
    assert request.headers["authorization"] == "Bearer t0k"


def test_credentials_come_from_a_folder_the_environment_and_options(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "client-secret").write_text("of the folder\n")
    (tmp_path / "key.token").write_text("own token\n")
    (tmp_path / "tls.crt").write_text("certificate")
    environment = {
        "SYNTHETIC_CREDENTIAL_CLIENT_SECRET": "of the environment",
        "SYNTHETIC_CREDENTIAL_OTHER_KEY_API_KEY": "of one scheme",
    }
    found = gather_credentials(tmp_path, {"password": "of an option"}, environment)
    assert found.values["client-secret"] == "of the environment"
    assert found.values["password"] == "of an option"
    assert found.values["key.token"] == "own token"
    assert found.values["tls.crt"] == str(tmp_path / "tls.crt")
    assert found.values["SYNTHETIC_CREDENTIAL_OTHER_KEY_API_KEY"] == "of one scheme"
    assert "of the" not in repr(found)


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


def test_a_certificate_that_cannot_be_read_is_an_auth_failure(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").write_text("none")
    (tmp_path / "tls.key").write_text("none")
    contract = {"components": {"securitySchemes": {"key": {"type": "mutualTLS"}}}}
    file = write_call(tmp_path, {"security": [{"key": []}]}, contract=contract)
    credentials = gather_credentials(tmp_path, {}, {})
    with run_mock_api(MockApi()) as api:
        url = api.url.replace("http:", "https:")
        result = replay("calls", url, credentials, LONG_LIMITS, file=file)
    assert result.reason == "auth"
    assert "tls.crt" in result.detail


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


def test_rejects_an_empty_credential() -> None:
    with pytest.raises(ProbeError, match="must not be empty"):
        gather_credentials(None, {"client-secret": ""}, {})


@pytest.mark.parametrize("output", ["table", "json", "junit", "har"])
@pytest.mark.parametrize("verbose", [True, False])
def test_no_output_contains_a_secret(tmp_path: Path, output: str, *, verbose: bool) -> None:
    schemes = {
        "key": {"type": "apiKey", "in": "query", "name": "k"},
        "user": {"type": "http", "scheme": "basic"},
    }
    body = json.dumps({"access_token": "returned-token", "echo": f"{SECRET} hunter2-in-text"})
    operation: Document = {
        "security": [{"key": [], "user": []}],
        "requestBody": {"content": {"application/json": {}}},
        "responses": {"200": {"content": {"application/json": {"schema": {"required": ["lost"]}}}}},
    }
    payload = {"password": "$inputs.password", "note": "$inputs.password"}
    step: Document = {
        "requestBody": {"payload": payload},
        "successCriteria": [{"condition": "$response.body#/echo == 'x'"}],
    }
    inputs = {"password": {"type": "string", "format": "password"}}
    contract = {"openapi": "3.1.0", "components": {"securitySchemes": schemes}}
    file = write_call(tmp_path, operation, step, method="post", contract=contract, inputs=inputs)
    headers = [("Content-Type", "application/json"), ("Set-Cookie", "sid=cookie-value; Path=/")]
    with run_mock_api(MockApi(headers=headers, body=body.encode())) as api:
        options = ["--file", file, "--url", api.url, "--output", output, "--retries", "0"]
        given = [
            "--secret", f"api-key={SECRET}", "--secret", "username=ana",
            "--secret", "password=hunter2", "--input", "password=hunter2-in-text",
        ]  # fmt: skip
        command = [PROGRAM, "probe", "calls", *options, *given, *(["--verbose"] * verbose)]
        done = subprocess.run(
            [str(each) for each in command], capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 1, done.stderr
    assert api.requests[0].target == "/x?k=s3cr%26t+v%C3%A4lue"
    printed = done.stdout + done.stderr
    assert ("> POST http://" in done.stderr) is verbose
    for text in ("s3cr", "v%C3%A4lue", "hunter2", "YW5hOmh1bnRlcjI", "cookie-value"):
        assert text not in printed, text
    if verbose or output == "har":
        assert "***" in printed
        assert "returned-token" not in printed


def test_masks_each_encoding_of_a_secret() -> None:
    Credentials({"token": 'quo"te /&ä'})
    for form in ('quo"te /&ä', "quo%22te%20%2F%26%C3%A4", 'quo\\"te /&\\u00e4', "cXVvInRlIC8mw6Q"):
        assert MASK.mask(f"<{form}>") == "<***>"
