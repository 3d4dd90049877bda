"""Known defects of plain Connexion that the service does not have."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from servicekit.testing import CONTRACTS, FakeIssuer, wait_until
from tests.support.clients.request_bodies import address_body, client_body
from tests.support.ports import free_port

CREATE = "/clients/create"
JSON = {"Content-Type": "application/json"}


def post(api: httpx.Client, body: bytes, media: str | None = "application/json") -> httpx.Response:
    """Post the bytes of a body, as some media type or without one."""
    headers = {} if media is None else {"Content-Type": media}
    return api.post(CREATE, content=body, headers=headers)


def the_second_specification_is_guarded(api: httpx.Client) -> None:
    assert api.get("/address/fetch").status_code == 401
    assert api.post("/address/create", json=address_body()).status_code == 401


def two_slashes_are_another_path(api: httpx.Client) -> None:
    for path in ("//clients/fetch", "/clients//fetch"):
        url = str(api.base_url).rstrip("/") + path
        assert api.get(url, headers={"Authorization": ""}).status_code == 404


def json_is_checked_however_it_is_spelt(api: httpx.Client) -> None:
    assert post(api, b'{"name": 1}', "application/JSON").status_code == 400


def a_body_without_a_type_is_refused(api: httpx.Client) -> None:
    assert post(api, json.dumps(client_body()).encode(), None).status_code == 415


def invalid_utf8_is_a_bad_request(api: httpx.Client) -> None:
    assert post(api, b'{"name": "\xff"}').status_code == 400


def endless_integers_are_a_bad_request(api: httpx.Client) -> None:
    assert post(api, b'{"balance": ' + b"9" * 5000 + b"}").status_code == 400


def deep_nesting_is_a_bad_request(api: httpx.Client) -> None:
    assert post(api, b"[" * 30_000).status_code == 400


def nan_is_no_number(api: httpx.Client) -> None:
    body = json.dumps(client_body(balance=float("nan"))).encode()
    assert post(api, body).status_code == 400


def a_body_in_chunks_is_a_body(api: httpx.Client) -> None:
    pieces = iter([json.dumps(client_body()).encode()])
    assert api.post(CREATE, content=pieces, headers=JSON).status_code == 201


def nonsense_for_a_token_is_a_401(api: httpx.Client) -> None:
    answer = api.get("/clients/fetch", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


def the_contract_names_no_function(api: httpx.Client) -> None:
    served = [api.get(path) for path in ("/openapi.json", "/clients/openapi.json")]
    (contract,) = [answer.text for answer in served if answer.is_success]
    # pytest explains a failed "not in" of a long text by a diff that takes minutes
    assert contract.count("Func") == 0


def a_body_has_a_limit(api: httpx.Client) -> None:
    body = json.dumps({**client_body(), "description": "x" * 70_000}).encode()
    assert post(api, body).status_code == 413


def an_error_echoes_no_value(api: httpx.Client) -> None:
    answer = api.post(CREATE, json=client_body(cpf="123.456.789-0x"))
    assert answer.status_code == 400
    assert "123.456.789" not in answer.text


def a_pattern_ends_at_the_end(api: httpx.Client) -> None:
    digits = client_body()["cpf"].replace(".", "").replace("-", "")
    assert api.post(CREATE, json=client_body(cpf=f"{digits}\n")).status_code == 400


def half_a_letter_is_refused(api: httpx.Client) -> None:
    body = json.dumps(client_body(name="\ud800")).encode()
    assert post(api, body).status_code == 400


def a_member_is_named_once(api: httpx.Client) -> None:
    body = json.dumps(client_body()).encode()
    assert post(api, b'{"name": "Outro",' + body[1:]).status_code == 400


def every_error_has_one_shape(api: httpx.Client) -> None:
    stranger = {"Authorization": ""}
    for answer in (
        api.get("/nothing"),
        api.get(CREATE),
        post(api, b"{"),
        api.get("/clients/fetch", headers=stranger),
        api.get("/clients/fetch", params={"limit": "many"}),
    ):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json().get("msg")


def an_unknown_parameter_is_refused(api: httpx.Client) -> None:
    assert api.get("/clients/fetch", params={"nmae": "Ana"}).status_code == 400


def a_repeated_parameter_is_refused(api: httpx.Client) -> None:
    assert api.get("/clients/fetch", params=[("limit", 1), ("limit", 2)]).status_code == 400


def a_slash_at_the_end_changes_nothing(api: httpx.Client) -> None:
    assert api.get("/clients/fetch/").status_code == 200
    assert api.post(f"{CREATE}/", json=client_body()).status_code == 201


TRAPS: tuple[Callable[[httpx.Client], None], ...] = (
    two_slashes_are_another_path,
    json_is_checked_however_it_is_spelt,
    a_body_without_a_type_is_refused,
    invalid_utf8_is_a_bad_request,
    endless_integers_are_a_bad_request,
    deep_nesting_is_a_bad_request,
    nan_is_no_number,
    a_body_in_chunks_is_a_body,
    nonsense_for_a_token_is_a_401,
    the_contract_names_no_function,
    a_body_has_a_limit,
    an_error_echoes_no_value,
    a_pattern_ends_at_the_end,
    half_a_letter_is_refused,
    a_member_is_named_once,
    every_error_has_one_shape,
    an_unknown_parameter_is_refused,
    a_repeated_parameter_is_refused,
    a_slash_at_the_end_changes_nothing,
)


@contextmanager
def plain_connexion(issuer: FakeIssuer, app: str) -> Iterator[str]:
    """Serve the same contract with plain Connexion under uvicorn."""
    port = free_port()
    module = "tests.support.clients.plain_connexion_app"
    command = [sys.executable, "-W", "ignore", "-m", "uvicorn", f"{module}:{app}"]
    with subprocess.Popen(
        [*command, "--port", str(port)],
        env={**os.environ, "JWKS_URL": issuer.url, "CONTRACTS_DIR": str(CONTRACTS)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _answers(url), "plain Connexion to start", timeout=60)
            yield url
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def plain_url(issuer: FakeIssuer) -> Iterator[str]:
    """URL of the whole contract on plain Connexion."""
    with plain_connexion(issuer, "app") as url:
        yield url


@pytest.mark.parametrize("trap", TRAPS)
def test_plain_connexion_fails_each_check_and_the_service_passes_it(
    service_url: str, plain_url: str, issuer: FakeIssuer, trap: Callable[[httpx.Client], None]
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with httpx.Client(base_url=service_url, headers=headers, timeout=20) as ours:
        trap(ours)
    with httpx.Client(base_url=plain_url, headers=headers, timeout=20) as plain:
        assert plain.get("/clients/fetch").status_code == 200
        with pytest.raises(AssertionError):
            trap(plain)


def test_plain_connexion_serves_valid_requests(plain_url: str, issuer: FakeIssuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with httpx.Client(base_url=plain_url, headers=headers, timeout=20) as plain:
        made = plain.post(CREATE, json=client_body(balance=1.5))
        assert made.status_code == 201
        assert plain.post(CREATE, json=address_body()).status_code == 400
        assert plain.get("/clients/health", headers={"Authorization": ""}).status_code == 200


def test_plain_connexion_leaves_the_second_of_three_specifications_unprotected(
    service_url: str, issuer: FakeIssuer
) -> None:
    with httpx.Client(base_url=service_url) as ours:
        the_second_specification_is_guarded(ours)
    with plain_connexion(issuer, "split_app") as url, httpx.Client(base_url=url) as split:
        assert split.post(CREATE, json=client_body()).status_code == 401
        with pytest.raises(AssertionError):
            the_second_specification_is_guarded(split)


def _answers(url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/clients/health").status_code)
    except httpx.TransportError:
        return False
