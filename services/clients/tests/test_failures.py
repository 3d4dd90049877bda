"""When the database is away: fast answers, a live process, and service again when it is back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from clients.app import create_app
from people import a_client, an_address
from servicekit.database import driver_url
from servicekit.errors import Problem
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    Issuer,
    environment,
    peer_settings,
    serve,
    wait_until,
)

OPERATIONS = [
    ("POST", "/clients/create", a_client()),
    ("GET", "/clients/fetch/1", None),
    ("GET", "/clients/fetch", None),
    ("PUT", "/clients/update/1", a_client()),
    ("DELETE", "/clients/delete/1", None),
    ("GET", "/clients/exists/1", None),
    ("GET", "/clients/health", None),
    ("POST", "/address/create", an_address(client_id=1)),
    ("GET", "/address/fetch/1", None),
    ("GET", "/address/fetch", None),
    ("PUT", "/address/update/1", an_address()),
    ("DELETE", "/address/delete/1", None),
]


@pytest.fixture(scope="module")
def cut_off(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContractClient]:
    """A service whose database is not there."""
    folder = tmp_path_factory.mktemp("cut-off")
    url = "postgresql://postgres@127.0.0.1:9/nothing"
    settings = peer_settings(issuer, url, folder, INVENTORY_URL="http://127.0.0.1:9")
    with environment(**settings):
        app = create_app()
    with (
        serve(app, ready=False) as base,
        ContractClient(base, CONTRACTS / "clients.yaml", "unit", issuer.token()) as client,
    ):
        wait_until(
            lambda: client.get("/clients/fetch/0").status_code == httpx.codes.BAD_REQUEST,
            "the keys to be there",
        )
        yield client


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
def test_without_its_database_every_operation_says_to_come_back(
    cut_off: ContractClient, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = cut_off.request(method, path, json=body)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "127.0.0.1" not in answer.text


def test_without_its_database_a_process_lives_and_is_not_ready(cut_off: ContractClient) -> None:
    assert cut_off.get("/-/live").status_code == 200
    assert cut_off.get("/-/ready").status_code == 503


def test_without_keys_nothing_is_said_of_a_token(
    database_url: str, tmp_path: Path, issuer: Issuer
) -> None:
    settings = peer_settings(issuer, database_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")
    with environment(**{**settings, "JWKS_URL": "http://127.0.0.1:9/users/jwks.json"}):
        app = create_app()
    with (
        serve(app, ready=False) as base,
        ContractClient(base, CONTRACTS / "clients.yaml", "unit", issuer.token()) as client,
    ):
        assert client.get("/clients/fetch").status_code == 503
        assert client.get("/-/ready").status_code == 503
        assert client.get("/clients/health").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE clients ADD CONSTRAINT unforeseen CHECK (name <> 'Ana')",
        "ALTER TABLE clients RENAME TO hidden",
    ],
)
def test_what_the_database_refuses_unforeseen_is_an_error_that_shows_nothing(
    issuer: Issuer, migrated_url_factory: Callable[[str], str], tmp_path: Path, change: str
) -> None:
    url = migrated_url_factory("clients")
    with environment(**peer_settings(issuer, url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")):
        app = create_app()
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with serve(app) as base:  # no contract promises such an answer: a plain client takes it
        answer = httpx.post(f"{base}/clients/create", json=a_client(name="Ana"), headers=headers)
        assert answer.status_code == 500
        assert answer.json()["msg"] == Problem.msg
        assert "Ana" not in answer.text
        assert httpx.get(f"{base}/-/ready").status_code == 200
