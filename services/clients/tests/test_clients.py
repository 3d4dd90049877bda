"""Clients and their validation."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from servicekit.db.database import driver_url
from servicekit.testing import ContractClient, FakeIssuer
from tests.support.clients.request_bodies import address_body, client_body

ABSENT = 2**62


def created(api: ContractClient, body: dict[str, Any]) -> int:
    """Create a client and return its id."""
    answer = api.post("/clients/create", json=body)
    assert answer.status_code == 201, answer.text
    identifier: int = answer.json()["id"]
    return identifier


def test_a_client_is_returned_as_stored(api: ContractClient) -> None:
    body = client_body()
    client_id = created(api, body)
    assert api.get(f"/clients/fetch/{client_id}").json() == {"id": client_id, **body}


def test_an_update_replaces_all_of_a_client(api: ContractClient) -> None:
    client_id = created(api, client_body())
    other = client_body(name="Ana", balance=0)
    answer = api.put(f"/clients/update/{client_id}", json=other)
    assert answer.json() == {"msg": "Client updated"}
    assert api.get(f"/clients/fetch/{client_id}").json() == {
        "id": client_id,
        **other,
        "balance": "0.00",
    }


def test_deleting_a_client_deletes_its_addresses(api: ContractClient) -> None:
    client_id = created(api, client_body())
    api.post("/address/create", json=address_body(client_id=client_id))
    assert api.get(f"/clients/exists/{client_id}").json() == {"status": True}
    assert api.delete(f"/clients/delete/{client_id}").status_code == 200
    assert api.get(f"/clients/exists/{client_id}").json() == {"status": False}
    assert api.get(f"/clients/fetch/{client_id}").status_code == 404
    assert api.get(f"/address/fetch/{client_id}").json() == []


def test_a_deletion_enqueues_a_message_for_the_inventory(
    api: ContractClient, database_url: str
) -> None:
    client_id = created(api, client_body())
    api.delete(f"/clients/delete/{client_id}")
    query = text("SELECT kind FROM outbox WHERE subject_id = :id")
    with create_engine(driver_url(database_url)).connect() as connection:
        assert connection.scalars(query, {"id": client_id}).all() == ["client"]


def test_deleting_a_missing_client_enqueues_no_message(
    api: ContractClient, database_url: str
) -> None:
    assert api.delete(f"/clients/delete/{ABSENT}").status_code == 404
    query = text("SELECT count(*) FROM outbox WHERE subject_id = :id")
    with create_engine(driver_url(database_url)).connect() as connection:
        assert connection.scalar(query, {"id": ABSENT}) == 0


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (30.25, "30.25"),
        (0, "0.00"),
        ("1.5", "1.50"),
        (9999999999.99, "9999999999.99"),
        ("0.10", "0.10"),
        ("1.100", "1.10"),
        (1e3, "1000.00"),
    ],
)
def test_money_is_exact(api: ContractClient, given: float | str, stored: str) -> None:
    client_id = created(api, client_body(balance=given))
    assert api.get(f"/clients/fetch/{client_id}").json()["balance"] == stored


def test_sums_of_amounts_are_exact(api: ContractClient) -> None:
    ids = [created(api, client_body(balance=0.1)) for _ in range(10)]
    balances = [Decimal(api.get(f"/clients/fetch/{i}").json()["balance"]) for i in ids]
    assert sum(balances) == Decimal(1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("balance", -0.01),
        ("balance", 10000000000),
        ("balance", 30.255),
        ("balance", "30,25"),
        ("balance", "1e3"),
        ("balance", None),
        ("balance", True),
        ("name", ""),
        ("name", "\u200b\u00a0"),
        ("name", " "),
        ("name", "x" * 201),
        ("name", 5),
        ("name", "Ana\n"),
        ("email", "@"),
        ("email", "ana"),
        ("email", "ana@example"),
        ("email", "ana@example.com\n"),
        ("email", "a@b@example.com"),
        ("cpf", "529.982.247-26"),
        ("cpf", "52998224726"),
        ("cpf", "12345678901"),
        ("cpf", "111.111.111-11"),
        ("cpf", "529.982.247-25\n"),
        ("cpf", "529982.247-25"),
        ("cpf", 52998224725),
        ("cpf", "٥٢٩٩٨٢٢٤٧٢٥"),
        ("surprise", 1),
        ("id", 7),
        ("realm", "live"),
        ("name", ...),
        ("email", ...),
        ("cpf", ...),
        ("balance", ...),
    ],
)
def test_an_invalid_field_is_named(api: ContractClient, field: str, value: object) -> None:
    for answer in (
        api.post("/clients/create", json=client_body(**{field: value})),
        api.put("/clients/update/1", json=client_body(**{field: value})),
    ):
        assert answer.status_code == 400
        assert field in {error["field"] for error in answer.json()["errors"]}


def test_all_invalid_fields_are_named_at_once(api: ContractClient) -> None:
    answer = api.post("/clients/create", json=client_body(name="", cpf="1", balance=-1))
    fields = [error["field"] for error in answer.json()["errors"]]
    assert sorted(fields) == ["balance", "cpf", "name"]


@pytest.mark.parametrize("change", [str.upper, str.lower, str.swapcase])
def test_emails_are_unique_regardless_of_case(api: ContractClient, change: Any) -> None:
    email = client_body()["email"]
    created(api, client_body(email=email))
    answer = api.post("/clients/create", json=client_body(email=change(email)))
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "email"


def test_cpfs_are_unique_regardless_of_punctuation(api: ContractClient) -> None:
    cpf = client_body()["cpf"]
    first = created(api, client_body(cpf=cpf.replace(".", "").replace("-", "")))
    assert api.get(f"/clients/fetch/{first}").json()["cpf"] == cpf
    answer = api.post("/clients/create", json=client_body(cpf=cpf))
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "cpf"


def test_an_update_cannot_use_the_email_or_cpf_of_another_client(api: ContractClient) -> None:
    first, second = client_body(), client_body()
    created(api, first)
    client_id = created(api, second)
    answer = api.put(f"/clients/update/{client_id}", json={**second, "cpf": first["cpf"]})
    assert answer.status_code == 409
    assert api.get(f"/clients/fetch/{client_id}").json()["cpf"] == second["cpf"]


@pytest.mark.parametrize(
    "email", ["Vinícius_Peixoto{}@example.com", "m{}@loja.invalid", "m{}@x.test"]
)
def test_internationalized_and_synthetic_emails_are_accepted(
    api: ContractClient, email: str
) -> None:
    unique = email.format(client_body()["cpf"].replace(".", "").replace("-", ""))
    client_id = created(api, client_body(email=unique))
    assert api.get(f"/clients/fetch/{client_id}").json()["email"] == unique


def test_format_validation_accepts_wrong_check_digits_with_punctuation_only(
    api: ContractClient, lenient_api: ContractClient
) -> None:
    wrong = client_body()["cpf"]
    wrong = wrong[:-1] + str((int(wrong[-1]) + 1) % 10)
    bare = wrong.replace(".", "").replace("-", "")
    assert api.post("/clients/create", json=client_body(cpf=wrong)).status_code == 400
    assert lenient_api.post("/clients/create", json=client_body(cpf=bare)).status_code == 400
    client_id = created(lenient_api, client_body(cpf=wrong))
    assert lenient_api.get(f"/clients/fetch/{client_id}").json()["cpf"] == wrong


@pytest.mark.parametrize("client_id", ["0", "-1", "9223372036854775808", "abc", "1.0", "٣", "+1"])
def test_an_invalid_id_is_named(api: ContractClient, client_id: str) -> None:
    for method, path, body in (
        ("GET", "fetch", None),
        ("PUT", "update", client_body()),
        ("DELETE", "delete", None),
        ("GET", "exists", None),
    ):
        answer = api.request(method, f"/clients/{path}/{client_id}", json=body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "client_id"


def test_an_unknown_client_is_not_found(api: ContractClient) -> None:
    assert api.get(f"/clients/fetch/{ABSENT}").status_code == 404
    assert api.put(f"/clients/update/{ABSENT}", json=client_body()).status_code == 404


def test_the_synthetic_and_the_live_realm_are_isolated(
    api: ContractClient, issuer: FakeIssuer
) -> None:
    body = client_body()
    with api.as_caller(issuer.token(realm="synthetic")) as monitor:
        synthetic_id = created(monitor, body)
        live_id = created(api, body)
        assert api.get(f"/clients/fetch/{synthetic_id}").status_code == 404
        assert api.get(f"/clients/exists/{synthetic_id}").json() == {"status": False}
        assert api.delete(f"/clients/delete/{synthetic_id}").status_code == 404
        assert api.put(f"/clients/update/{synthetic_id}", json=client_body()).status_code == 404
        assert monitor.get(f"/clients/fetch/{live_id}").status_code == 404
        address = address_body(client_id=live_id)
        assert monitor.post("/address/create", json=address).status_code == 404
        assert [
            c["id"] for c in monitor.get("/clients/fetch", params={"cpf": body["cpf"]}).json()
        ] == [synthetic_id]
