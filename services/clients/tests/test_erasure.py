"""Erasure and export of the data of a client (LGPD)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from clients.app import create_app
from servicekit.db.database import driver_url
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
    environment,
    peer_settings,
    serve,
)
from tests.support.clients.request_bodies import address_body, client_body

PERSON = client_body(name="Segredo da Silva", email="Segredo.Dela@Example.com", balance="7654.32")
HOME = address_body(city="Cidade Secreta", street="Rua do Segredo", number=98765, CEP="12345-678")


@pytest.fixture
def engine(own_url: str) -> Iterator[Engine]:
    """An engine for the queries of the test."""
    engine = create_engine(driver_url(own_url))
    yield engine
    engine.dispose()


@pytest.fixture
def api(own_url: str, issuer: FakeIssuer, tmp_path: Path) -> Iterator[ContractClient]:
    """A client of a service with a separate database, without a relay."""
    settings = peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")
    with environment(**settings):
        app = create_app()
    with (
        serve(app) as url,
        ContractClient(url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as api,
    ):
        yield api


def everything(engine: Engine) -> dict[str, str]:
    """Return the content of each table as lower-case text."""
    with engine.connect() as connection:
        tables = connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).all()
        return {
            table: "\n".join(
                json.dumps(row, ensure_ascii=False).lower()
                for row in connection.scalars(text(f'SELECT to_jsonb(t) FROM "{table}" t'))  # noqa: S608
            )
            for table in tables
        }


def traces_of(person: dict[str, Any], home: dict[str, Any], found: dict[str, str]) -> set[str]:
    """Return the tables with data of a person."""
    digits = "".join(filter(str.isdigit, person["cpf"]))
    secrets = [person["name"], person["email"], person["cpf"], digits, person["balance"]]
    secrets += [home["city"], home["street"], str(home["number"]), home["CEP"]]
    return {
        table for table, rows in found.items() if any(secret.lower() in rows for secret in secrets)
    }


def test_no_table_contains_data_of_a_deleted_client(api: ContractClient, engine: Engine) -> None:
    keys = iter({"Idempotency-Key": f"key-{number}"} for number in range(10))
    made = api.post("/clients/create", json=PERSON, headers=next(keys)).json()["id"]
    home = {**HOME, "client_id": made}
    address = api.post("/address/create", json=home, headers=next(keys)).json()["id"]
    assert api.put(f"/clients/update/{made}", json=PERSON, headers=next(keys)).is_success
    assert api.put(f"/address/update/{address}", json=home, headers=next(keys)).is_success
    before = everything(engine)
    assert traces_of(PERSON, HOME, before) == {"clients", "addresses"}
    assert before["idempotency_keys"]

    assert api.delete(f"/clients/delete/{made}", headers=next(keys)).is_success
    after = everything(engine)
    assert {"clients", "addresses", "idempotency_keys", "outbox"} <= after.keys()
    assert after["outbox"]  # the message contains only the id
    assert traces_of(PERSON, HOME, after) == set()


def test_all_data_of_a_client_can_be_exported(api: ContractClient) -> None:
    made = api.post("/clients/create", json=PERSON).json()["id"]
    api.post("/address/create", json={**HOME, "client_id": made})
    exported = api.get(f"/clients/fetch/{made}").json()
    (home,) = api.get(f"/address/fetch/{made}").json()
    assert (exported["name"], exported["email"].lower()) == (
        PERSON["name"],
        PERSON["email"].lower(),
    )
    assert (exported["cpf"], exported["balance"]) == (PERSON["cpf"], PERSON["balance"])
    assert home == {**HOME, "id": home["id"], "client_id": made}
