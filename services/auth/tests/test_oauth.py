"""Client credentials (RFC 6749, section 4.4), and the published keys."""

from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import jwt
import pytest
from jwt import PyJWK

from servicekit.testing import ContractClient
from tests.support.auth.users import basic_auth, log_in

FORM = {"grant_type": "client_credentials"}


def ask(
    api: ContractClient, client_id: str, secret: str | None = None, **form: str
) -> httpx.Response:
    """Request a token."""
    auth = basic_auth(client_id, secret or f"secret-of-{client_id}")
    return api.post("/users/token", data={**FORM, **form}, auth=auth)


@pytest.mark.parametrize(
    ("client_id", "scope", "realm"),
    [
        ("clients", "inventory:remove", "live"),
        ("products", "inventory:remove", "live"),
        ("inventory", "clients:exists products:exists", "live"),
        (
            "synthetic",
            (
                "clients:read clients:write inventory:read inventory:write products:read"
                " products:write users:write"
            ),
            "synthetic",
        ),
    ],
)
def test_each_client_gets_its_scopes_and_its_realm(
    api: ContractClient, client_id: str, scope: str, realm: str
) -> None:
    answer = ask(api, client_id)
    assert answer.status_code == 200
    document = answer.json()
    assert document["token_type"] == "Bearer"
    assert document["expires_in"] == 300
    assert document["scope"] == scope
    claims = jwt.decode(document["access_token"], options={"verify_signature": False})
    assert claims["sub"] == f"service:{client_id}"
    assert claims["client_id"] == client_id
    assert claims["scope"] == scope
    assert claims["realm"] == realm
    assert claims["exp"] - claims["iat"] == 300


def test_a_client_may_request_only_its_scopes(api: ContractClient) -> None:
    assert ask(api, "inventory", scope="clients:exists").json()["scope"] == "clients:exists"
    answer = ask(api, "inventory", scope="clients:exists clients:write")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"
    assert answer.json()["errors"][0]["field"] == "scope"


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("clients", "wrong"),
        ("clients", "secret-of-products"),
        ("nobody", "secret-of-nobody"),
        ("../keys/current", "x"),
        ("", ""),
    ],
)
def test_a_wrong_id_or_secret_returns_invalid_client(
    api: ContractClient, client_id: str, secret: str
) -> None:
    answer = api.post("/users/token", data=FORM, auth=basic_auth(client_id, secret))
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({}, {}),
        ({}, {"client_id": "clients", "client_secret": "secret-of-clients"}),
        ({"Authorization": "Bearer x"}, {}),
        ({"Authorization": "Basic !"}, {}),
        ({"Authorization": "Basic Og"}, {}),
    ],
    ids=["none", "in the form", "another scheme", "no base64", "no padding"],
)
def test_missing_credentials_return_invalid_client_and_name_the_header(
    api: ContractClient, headers: dict[str, str], form: dict[str, str]
) -> None:
    answer = api.post("/users/token", data={**FORM, **form}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.json()["msg"] == "Credentials are needed in the header Authorization (Basic)"


@pytest.mark.parametrize("name", ["grant_type", "scope", "client_id"])
def test_parameters_in_the_query_return_invalid_request(api: ContractClient, name: str) -> None:
    auth = basic_auth("clients", "secret-of-clients")
    answer = api.post("/users/token", params={name: "x"}, data=FORM, auth=auth)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({**FORM, "scope": "NOT A SCOPE"}, "invalid_scope"),
        ({**FORM, "scope": "openid"}, "invalid_scope"),
        ({**FORM, "scope": "clients:read  clients:write"}, "invalid_scope"),
        ({**FORM, "scope": " "}, "invalid_scope"),
        ({**FORM, **{f"field{number}": "1" for number in range(100)}}, "invalid_request"),
        ({**FORM, "surprise": "a" * 5000}, "invalid_request"),
        ({**FORM, "scope": "\x00"}, "invalid_scope"),
        ({**FORM, "grant_type": ["client_credentials"] * 2}, "invalid_request"),
        ({**FORM, "scope": ["inventory:remove"] * 2}, "invalid_request"),
    ],
)
def test_an_invalid_form_returns_the_error_code_of_the_rfc(
    api: ContractClient, form: dict[str, Any], error: str
) -> None:
    answer = api.post("/users/token", data=form, auth=basic_auth("clients", "secret-of-clients"))
    if not form:
        answer = api.post(
            "/users/token",
            content=b"scope=inventory%3Aremove",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            auth=basic_auth("clients", "secret-of-clients"),
        )
    assert answer.status_code == 400
    assert answer.json()["error"] == error


@pytest.mark.parametrize(
    "form",
    [
        "scope=",
        "scope=&scope=",
        "surprise=1",
        "surprise=1&surprise=2",
        "surprise=%00&%00=",
        "resource=https%3A%2F%2Fapi.example&audience=",
        "client_id=clients&client_secret=secret-of-clients",
    ],
)
def test_unknown_parameters_are_ignored_and_empty_ones_count_as_omitted(
    api: ContractClient, form: str
) -> None:
    answer = api.post(
        "/users/token",
        content=f"grant_type=client_credentials&{form}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=basic_auth("clients", "secret-of-clients"),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == "inventory:remove"


@pytest.mark.parametrize("form", ["grant_type=", "grant_type", "Grant_Type=client_credentials"])
def test_an_empty_grant_type_is_a_missing_one(api: ContractClient, form: str) -> None:
    answer = api.post(
        "/users/token",
        content=form,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=basic_auth("clients", "secret-of-clients"),
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.json()["errors"] == [{"field": "grant_type", "reason": "is required"}]


def test_a_token_is_signed_with_a_published_key(api: ContractClient) -> None:
    answer = api.get("/users/jwks.json")
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    keys = {key["kid"]: PyJWK(key) for key in answer.json()["keys"]}
    token = log_in(api)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["ES256"], audience="cadastro")["realm"] == "live"
    assert all("d" not in key for key in answer.json()["keys"])


@pytest.mark.parametrize("secret", ["p+s%41 /c&", "100%", "a%2Bb", "c+d"])
def test_a_secret_may_be_sent_as_it_is_or_encoded_as_in_a_form(
    api: ContractClient, folder: Path, secret: str
) -> None:
    file = folder / "oauth" / "products"
    before = file.read_text()
    try:
        file.write_text(secret)
        for text in (secret, quote_plus(secret)):
            assert ask(api, "products", text).status_code == 200
        file.write_text(f"{secret}\r\n", encoding="utf-8-sig")  # as editors of Windows save it
        assert ask(api, "products", secret).status_code == 200
        file.write_text(secret, encoding="utf-16")
        assert ask(api, "products", secret).status_code == 401
    finally:
        file.write_text(before)
