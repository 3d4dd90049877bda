"""Rolling update: this release works with the expanded schema of the next one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from clients.app import create_app
from servicekit.db import wait_for_migrations
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

EXPANSION = (
    "ALTER TABLE clients ADD COLUMN nickname varchar(200)",
    "ALTER TABLE clients ADD COLUMN tier varchar(10) NOT NULL DEFAULT 'plain'",
    "ALTER TABLE addresses ADD COLUMN country varchar(2) NOT NULL DEFAULT 'BR'",
    "CREATE INDEX ix_clients_nickname ON clients (nickname)",
    "CREATE TABLE notes (id bigint PRIMARY KEY, client_id bigint NOT NULL)",
    "UPDATE alembic_version SET version_num = 'clients_9999'",
)


@pytest.fixture
def expanded_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A database with the schema of the next release."""
    url = migrated_url_factory("clients")
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        for statement in EXPANSION:
            connection.execute(text(statement))
    engine.dispose()
    return url


@pytest.fixture
def api(expanded_url: str, issuer: FakeIssuer, tmp_path: Path) -> Iterator[ContractClient]:
    """A client of the service with that database."""
    more = {"INVENTORY_URL": "http://127.0.0.1:9"}
    with environment(**peer_settings(issuer, expanded_url, tmp_path, **more)):
        app = create_app()
    with (
        serve(app) as url,
        ContractClient(url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as client,
    ):
        yield client


def test_this_release_starts_and_writes_and_reads_on_the_next_ones_schema(
    api: ContractClient, expanded_url: str
) -> None:
    assert not wait_for_migrations.pending_reason(expanded_url, "clients", 0)
    sent = client_body()
    client_id = api.post("/clients/create", json=sent).json()["id"]
    changed = {**sent, "name": "Ana Maria"}
    assert api.put(f"/clients/update/{client_id}", json=changed).status_code == 200
    address = address_body(client_id=client_id)
    address_id = api.post("/address/create", json=address).json()["id"]
    assert api.get(f"/clients/fetch/{client_id}").json() == {"id": client_id, **changed}
    assert api.get(f"/address/fetch/{client_id}").json() == [{"id": address_id, **address}]
    assert [row["id"] for row in api.get("/clients/fetch").json()] == [client_id]
    assert api.delete(f"/clients/delete/{client_id}").status_code == 200
    assert api.get("/address/fetch").json() == []


def test_a_retry_is_answered_as_before_on_the_next_ones_schema(api: ContractClient) -> None:
    sent, headers = client_body(), {"Idempotency-Key": "9f7a-retry-over-a-roll-out"}
    first, again = (api.post("/clients/create", json=sent, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
