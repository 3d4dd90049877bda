"""Addresses of clients."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from servicekit.db.database import driver_url
from servicekit.testing import ContractClient
from tests.support.clients.request_bodies import address_body, client_body

ABSENT = 2**62


@pytest.fixture
def client_id(api: ContractClient) -> int:
    """A client without addresses."""
    identifier: int = api.post("/clients/create", json=client_body()).json()["id"]
    return identifier


def added(api: ContractClient, client_id: int, **changes: Any) -> int:
    """Add an address and return its id."""
    answer = api.post("/address/create", json=address_body(client_id=client_id, **changes))
    assert answer.status_code == 201, answer.text
    identifier: int = answer.json()["id"]
    return identifier


def test_an_address_is_returned_as_stored(api: ContractClient, client_id: int) -> None:
    address_id = added(api, client_id)
    expected = {"id": address_id, "client_id": client_id, **address_body()}
    assert api.get(f"/address/fetch/{client_id}").json() == [expected]


@pytest.mark.parametrize("name", ["CEP", "cep"])
@pytest.mark.parametrize("value", ["16900-000", "16900000"])
def test_a_cep_is_accepted_under_both_names_with_or_without_dash(
    api: ContractClient, client_id: int, name: str, value: str
) -> None:
    added(api, client_id, **{"CEP": ..., name: value})
    assert api.get(f"/address/fetch/{client_id}").json()[0]["CEP"] == "16900-000"


def test_an_update_replaces_an_address(api: ContractClient, client_id: int) -> None:
    address_id = added(api, client_id)
    change = address_body(city="São José dos Campos", number=7)
    assert api.put(f"/address/update/{address_id}", json=change).status_code == 200
    shown = api.get(f"/address/fetch/{client_id}").json()
    assert shown == [{"id": address_id, "client_id": client_id, **change}]


def test_an_update_may_contain_the_current_client(api: ContractClient, client_id: int) -> None:
    address_id = added(api, client_id)
    own = address_body(client_id=client_id, number=8)
    assert api.put(f"/address/update/{address_id}", json=own).status_code == 200
    assert api.get(f"/address/fetch/{client_id}").json()[0]["number"] == 8


def test_an_address_cannot_move_to_another_client(api: ContractClient, client_id: int) -> None:
    address_id = added(api, client_id)
    other = api.post("/clients/create", json=client_body()).json()["id"]
    answer = api.put(f"/address/update/{address_id}", json=address_body(client_id=other, number=9))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "client_id"
    assert api.get(f"/address/fetch/{client_id}").json()[0]["number"] == 100
    assert api.get(f"/address/fetch/{other}").json() == []


def test_deleting_an_address_keeps_its_client(api: ContractClient, client_id: int) -> None:
    gone, kept = added(api, client_id), added(api, client_id)
    assert api.delete(f"/address/delete/{gone}").status_code == 200
    assert [a["id"] for a in api.get(f"/address/fetch/{client_id}").json()] == [kept]
    assert api.delete(f"/address/delete/{gone}").status_code == 404


def test_an_address_of_a_missing_client_is_rejected(api: ContractClient) -> None:
    answer = api.post("/address/create", json=address_body(client_id=ABSENT))
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["field"] == "client_id"


def test_a_retry_with_the_same_key_creates_one_address(api: ContractClient, client_id: int) -> None:
    key = {"Idempotency-Key": f"address-of-{client_id}"}
    body = address_body(client_id=client_id)
    first = api.post("/address/create", json=body, headers=key)
    again = api.post("/address/create", json=body, headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(api.get(f"/address/fetch/{client_id}").json()) == 1
    other = address_body(client_id=client_id, number=7)
    assert api.post("/address/create", json=other, headers=key).status_code == 422


def test_a_key_in_use_returns_409(api: ContractClient, client_id: int, database_url: str) -> None:
    key = {"Idempotency-Key": f"held-for-{client_id}"}
    body = address_body(client_id=client_id)
    with create_engine(driver_url(database_url)).begin() as connection:
        # a running request holds the lock of its key
        name = "\0".join(("live/user:1", "addresses.create", key["Idempotency-Key"])).encode()
        lock = int.from_bytes(hashlib.sha256(name).digest()[:8], signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
        answer = api.post("/address/create", json=body, headers=key)
        assert answer.status_code == 409
        assert int(answer.headers["Retry-After"]) >= 1
    assert api.post("/address/create", json=body, headers=key).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/address/delete/0"),
        ("PUT", "/address/update/0"),
        ("GET", "/address/fetch/0"),
        ("GET", "/address/fetch?state=sp"),
    ],
)
def test_an_invalid_parameter_is_named(api: ContractClient, method: str, path: str) -> None:
    body = address_body() if method == "PUT" else None
    assert api.request(method, path, json=body).status_code == 400


def test_an_unknown_address_is_not_found(api: ContractClient) -> None:
    assert api.put(f"/address/update/{ABSENT}", json=address_body()).status_code == 404
    assert api.delete(f"/address/delete/{ABSENT}").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", 0),
        ("client_id", "1"),
        ("client_id", 2**63),
        ("client_id", 1.5),
        ("state", "TS"),
        ("state", "sp"),
        ("state", "SPX"),
        ("state", ...),
        ("city", ""),
        ("city", "\u3000"),
        ("street", "\u0085\u00ad"),
        ("city", "x" * 201),
        ("city", ...),
        ("street", "\u0000"),
        ("street", ...),
        ("number", 0),
        ("number", -1),
        ("number", "100"),
        ("number", 2**31),
        ("number", ...),
        ("CEP", "1690-000"),
        ("CEP", "16900-000\n"),
        ("CEP", 16900000),
        ("surprise", 1),
    ],
)
def test_an_invalid_field_is_named(
    api: ContractClient, client_id: int, field: str, value: object
) -> None:
    body = {"client_id": client_id, **address_body(**{field: value})}
    if value is ...:
        body.pop(field, None)
    answer = api.post("/address/create", json=body)
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert api.get(f"/address/fetch/{client_id}").json() == []


def test_a_body_that_is_no_object_is_reported_as_a_whole(api: ContractClient) -> None:
    for body in ([1], "CEP", 7):
        errors = api.post("/address/create", json=body).json()["errors"]
        assert errors == [{"field": "body", "reason": 'is not of type "object"'}]


def test_an_address_without_a_cep_is_rejected(api: ContractClient, client_id: int) -> None:
    answer = api.post("/address/create", json=address_body(client_id=client_id, CEP=...))
    assert answer.status_code == 400


def test_format_validation_accepts_any_two_capitals(
    api: ContractClient, lenient_api: ContractClient, client_id: int
) -> None:
    body = address_body(client_id=client_id, state="TS")
    assert api.post("/address/create", json=body).status_code == 400
    assert lenient_api.post("/address/create", json=body).status_code == 201
    assert api.get(f"/address/fetch/{client_id}").json()[0]["state"] == "TS"


@pytest.mark.parametrize(
    "spelt", ["Cidade Ma\u00e7\u00e3", "CIDADE MAC\u0327A\u0303", "cidade mac\u0327\u00e3"]
)
def test_addresses_are_filtered_by_city_in_any_case_and_composition(
    api: ContractClient, client_id: int, spelt: str
) -> None:
    wanted = added(api, client_id, city=f"Cidade Ma\u00e7\u00e3 {client_id}")
    found = api.get("/address/fetch", params={"city": f"{spelt} {client_id}"}).json()
    assert [address["id"] for address in found] == [wanted]


def test_all_addresses_are_filtered_by_state_and_city(api: ContractClient, client_id: int) -> None:
    city = f"Cidade {client_id}"
    wanted = added(api, client_id, city=city, state="RJ")
    added(api, client_id, city=city, state="MG")
    found = api.get("/address/fetch", params={"city": city, "state": "RJ"}).json()
    assert [address["id"] for address in found] == [wanted]
