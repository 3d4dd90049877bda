"""Users: registration and login."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from servicekit.testing import ContractClient
from tests.support.auth.users import (
    PASSWORD,
    PREFIXES,
    basic_auth,
    basic_auth_header,
    bearer,
    create_user,
    log_in,
    new_username,
    request_login,
)

USERS = {"clients", "products", "inventory"}


def test_a_new_user_can_log_in_and_gets_a_token(api: ContractClient) -> None:
    name = create_user(api)
    answer = request_login(api, name)
    assert answer.status_code == 200
    assert answer.json()["msg"] == "Success"
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert claims["iss"] == claims["aud"] == "cadastro"
    assert claims["sub"].startswith("user:")
    assert claims["realm"] == "live"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["nbf"] <= time.time() < claims["exp"]
    assert set(claims["scope"].split()) == {
        f"{what}:{right}" for what in USERS for right in ("read", "write")
    } | {"users:write"}


def test_tokens_are_unique(api: ContractClient) -> None:
    name = create_user(api)
    assert log_in(api, name) != log_in(api, name)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_deprecated_paths_are_equivalent(api: ContractClient, prefix: str) -> None:
    name = new_username()
    body = {"username": name, "password": PASSWORD}
    assert api.post(f"{prefix}/create", json=body).status_code == 201
    assert api.post(f"{prefix}/create", json=body).status_code == 409
    assert api.post(f"{prefix}/login", auth=basic_auth(name, PASSWORD)).status_code == 200
    assert api.get(f"{prefix}/health").status_code == 200


@pytest.mark.parametrize("spell", [str.upper, str.lower, lambda name: name.replace("í", "i\u0301")])
def test_names_are_unique_regardless_of_case_and_composition(
    api: ContractClient, spell: object
) -> None:
    assert callable(spell)
    name = create_user(api)
    body = {"username": spell(name), "password": PASSWORD}
    answer = api.post("/users/create", json=body)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "username"
    assert request_login(api, spell(name)).status_code == 200


def test_concurrent_requests_create_one_user_of_a_name_in_any_case(api: ContractClient) -> None:
    name, barrier = new_username(), threading.Barrier(50)

    def create(number: int) -> int:
        barrier.wait()
        spelt = name.upper() if number % 2 else name
        body = {"username": spelt, "password": PASSWORD}
        answer = api.post("/users/create", json=body, timeout=60)
        while answer.status_code == 429:  # the queue is full
            time.sleep(int(answer.headers["Retry-After"]))
            answer = api.post("/users/create", json=body, timeout=60)
        return answer.status_code

    with ThreadPoolExecutor(50) as pool:
        assert sorted(pool.map(create, range(50))) == [201] + [409] * 49


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", " "),
        ("username", "\u200b"),
        ("username", "\u3164\u2060"),
        ("username", "\N{IDEOGRAPHIC SPACE}"),
        ("username", "x" * 101),
        ("username", "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100),  # of 18 letters each
        ("username", "a:b"),
        ("username", "a\nb"),
        ("username", 7),
        ("username", None),
        ("password", "short"),
        ("password", "x" * 129),
        ("password", "Segredo\t77"),
        ("password", 12345678),
        ("realm", "synthetic"),
    ],
)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_invalid_field_is_named_and_not_echoed(
    api: ContractClient, prefix: str, field: str, value: object
) -> None:
    body = {"username": new_username(), "password": "Segredo-77", field: value}
    answer = api.post(f"{prefix}/create", json=body)
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert "Segredo" not in answer.text


def test_a_wrong_name_and_a_wrong_password_have_the_same_response(api: ContractClient) -> None:
    name = create_user(api)
    wrong = [request_login(api, name, "Errado123"), request_login(api, new_username())]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.text for answer in wrong}) == 1
    for answer in [*wrong, api.post("/users/login")]:
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="cadastro", charset="UTF-8"'


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Bearer x", "Basic Og==", "Basic YQ=="])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_malformed_credentials_are_rejected(api: ContractClient, prefix: str, header: str) -> None:
    answer = api.post(f"{prefix}/login", headers={"Authorization": header})
    assert answer.status_code == 401


def test_a_password_matches_in_any_unicode_composition(api: ContractClient) -> None:
    name = new_username()
    body = {"username": name, "password": "Vin\u00edcius1"}
    assert api.post("/users/create", json=body).status_code == 201
    assert request_login(api, name, "Vini\u0301cius1").status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
def test_closed_registration_requires_a_token_of_a_user(
    api: ContractClient, closed_api: ContractClient, prefix: str
) -> None:
    body = {"username": new_username(), "password": PASSWORD}
    path = f"{prefix}/create"
    assert closed_api.post(path, json=body).status_code == 401
    token = log_in(api)
    assert closed_api.post(path, json=body, headers=bearer(token)).status_code == 201
    assert request_login(api, body["username"]).status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_optional_token_must_be_valid_and_have_the_scope(
    api: ContractClient, prefix: str
) -> None:
    body = {"username": new_username(), "password": PASSWORD}
    path = f"{prefix}/create"
    assert api.post(path, json=body, headers=bearer("nonsense")).status_code == 401
    auth, form = (
        basic_auth("inventory", "secret-of-inventory"),
        {"grant_type": "client_credentials"},
    )
    token = api.post("/users/token", data=form, auth=auth).json()["access_token"]
    assert api.post(path, json=body, headers=bearer(token)).status_code == 403


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_retry_with_the_same_key_creates_one_user(api: ContractClient, prefix: str) -> None:
    name = new_username()
    key = {"Idempotency-Key": name.encode().hex()}
    body = {"username": name, "password": PASSWORD}
    first = api.post(f"{prefix}/create", json=body, headers=key)
    again = api.post(f"{prefix}/create", json=body, headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = {"username": new_username(), "password": PASSWORD}
    assert api.post(f"{prefix}/create", json=other, headers=key).status_code == 422


def test_users_created_by_a_monitor_are_synthetic(api: ContractClient) -> None:
    auth, form = (
        basic_auth("synthetic", "secret-of-synthetic"),
        {"grant_type": "client_credentials"},
    )
    token = api.post("/users/token", data=form, auth=auth).json()["access_token"]
    name = create_user(api, headers=bearer(token))
    claims = jwt.decode(log_in(api, name), options={"verify_signature": False})
    assert claims["realm"] == "synthetic"


@pytest.mark.parametrize("path", [f"{prefix}/create" for prefix in PREFIXES] + ["/users/token"])
def test_a_large_body_or_another_media_type_is_rejected(api: ContractClient, path: str) -> None:
    header = bearer(log_in(api))
    if path.endswith("token"):
        header = basic_auth_header("clients", "secret-of-clients")
    large = b"x" * 70_000
    answer = api.post(path, content=large, headers={"Content-Type": "application/json", **header})
    assert answer.status_code == 413
    answer = api.post(path, content=b"x", headers={"Content-Type": "text/plain", **header})
    assert answer.status_code == 415
