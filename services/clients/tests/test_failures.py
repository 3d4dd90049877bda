"""The clients service without its database or key set."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from clients.app import create_app
from servicekit.db.database import driver_url
from servicekit.problems import Problem, Unavailable, UnknownOutcome
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
    environment,
    peer_settings,
    serve,
    wait_until,
)
from tests.support.clients.request_bodies import address_body, client_body

OPERATIONS = [
    ("POST", "/clients/create", client_body()),
    ("GET", "/clients/fetch/1", None),
    ("GET", "/clients/fetch", None),
    ("PUT", "/clients/update/1", client_body()),
    ("DELETE", "/clients/delete/1", None),
    ("GET", "/clients/exists/1", None),
    ("GET", "/clients/health", None),
    ("POST", "/address/create", address_body(client_id=1)),
    ("GET", "/address/fetch/1", None),
    ("GET", "/address/fetch", None),
    ("PUT", "/address/update/1", address_body()),
    ("DELETE", "/address/delete/1", None),
]


@pytest.fixture(scope="module")
def cut_off(
    issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ContractClient]:
    """A service with an unavailable database."""
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
def test_without_a_database_every_operation_returns_503_with_retry_after(
    cut_off: ContractClient, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = cut_off.request(method, path, json=body)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "127.0.0.1" not in answer.text
    assert answer.json()["msg"] == Unavailable.msg  # the outcome is known: nothing was started


def test_without_a_database_the_process_is_alive_and_not_ready(cut_off: ContractClient) -> None:
    assert cut_off.get("/-/live").status_code == 200
    assert cut_off.get("/-/ready").status_code == 503


@pytest.mark.parametrize(("method", "msg"), [("PUT", UnknownOutcome.msg), ("GET", Unavailable.msg)])
def test_an_interrupted_write_is_reported_with_an_unknown_outcome(
    api: ContractClient, database_url: str, method: str, msg: str
) -> None:
    client_id = api.post("/clients/create", json=client_body()).json()["id"]
    path = f"/clients/{'update' if method == 'PUT' else 'fetch'}/{client_id}"
    body = client_body(name="Nova") if method == "PUT" else None
    waiting = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    engine = create_engine(driver_url(database_url))
    watcher = engine.execution_options(isolation_level="AUTOCOMMIT")
    with ThreadPoolExecutor(1) as pool, engine.connect() as lock, watcher.connect() as other:
        lock.execute(text("LOCK TABLE clients"))
        sent = pool.submit(api.request, method, path, json=body)
        wait_until(lambda: other.scalar(waiting) is True, "the request to wait for the table")
        answer = sent.result()
    engine.dispose()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["msg"] == msg
    assert api.get(f"/clients/fetch/{client_id}").status_code == 200


def test_without_a_key_set_tokens_are_neither_accepted_nor_rejected(
    database_url: str, tmp_path: Path, issuer: FakeIssuer
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
def test_an_unexpected_database_error_discloses_nothing(
    issuer: FakeIssuer, migrated_url_factory: Callable[[str], str], tmp_path: Path, change: str
) -> None:
    url = migrated_url_factory("clients")
    with environment(**peer_settings(issuer, url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")):
        app = create_app()
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with serve(app) as base:  # not in the contract, so without ContractClient
        answer = httpx.post(f"{base}/clients/create", json=client_body(name="Ana"), headers=headers)
        assert answer.status_code == 500
        assert answer.json()["msg"] == Problem.msg
        assert "Ana" not in answer.text
        assert httpx.get(f"{base}/-/ready").status_code == 200
