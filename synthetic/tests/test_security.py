"""Authentication by the security schemes of a contract, and secrets in outputs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
from tests.support.synthetic.mock_shop import LONG_LIMITS

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


def test_a_byte_order_mark_before_a_credential_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "client-secret").write_text("of the folder\r\n", encoding="utf-8-sig")
    environment = {
        "SYNTHETIC_CREDENTIAL_TOKEN": "\ufeffof the environment\n",
        "SYNTHETIC_CREDENTIAL_PASSWORD": "\ufeff\n",
    }
    found = gather_credentials(tmp_path, {}, environment)
    assert found.values == {"client-secret": "of the folder", "token": "of the environment"}


def test_a_certificate_that_cannot_be_read_is_no_failure_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").write_text("none")
    (tmp_path / "tls.key").write_text("none")
    contract = {"components": {"securitySchemes": {"key": {"type": "mutualTLS"}}}}
    file = write_call(tmp_path, {"security": [{"key": []}]}, contract=contract)
    credentials = gather_credentials(tmp_path, {}, {})
    with run_mock_api(MockApi()) as api:
        url = api.url.replace("http:", "https:")
        result = replay("calls", url, credentials, LONG_LIMITS, file=file)
    assert (result.result, result.reason) == ("error", "runner")
    assert "tls.crt" in result.detail


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
