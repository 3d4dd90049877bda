"""Authorization, rejected bodies, and responses without a database."""

from collections.abc import Iterator

import httpx
import pytest

from inventory.app import create_app
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
    environment,
    serve,
    wait_until,
)
from tests.support.inventory.fake_owners import FakeOwner
from tests.support.inventory.purchases import purchase_body

REMOVAL = {"remotion_id": 1, "type": "client"}
OPERATIONS = [
    ("POST", "/inventory/add_product", purchase_body(1, 1)),
    ("GET", "/inventory/list_products_ids/1", None),
    ("GET", "/inventory/list_products_id/1", None),
    ("DELETE", "/inventory/remove_product/1", None),
    ("DELETE", "/inventory/remove_many", REMOVAL),
    ("DELETE", "/inventory/remove_products", REMOVAL),
]


@pytest.fixture(scope="module")
def cut_off(issuer: FakeIssuer, settings: dict[str, str]) -> Iterator[ContractClient]:
    """A service with an unavailable database."""
    url = "postgresql://postgres@127.0.0.1:9/nothing"
    with environment(**{**settings, "DATABASE_URL": url}):
        app = create_app()
    with (
        serve(app, ready=False) as base,
        ContractClient(base, CONTRACTS / "inventory.yaml", "unit", issuer.token()) as client,
    ):
        wait_until(
            lambda: (
                client.get("/inventory/list_products_ids/0").status_code == httpx.codes.BAD_REQUEST
            ),
            "the key set",
        )
        yield client


def test_a_relay_may_only_remove_many(relay: ContractClient) -> None:
    for method, path, body in OPERATIONS:
        admitted = body is REMOVAL
        assert relay.request(method, path, json=body).status_code == (200 if admitted else 403)


@pytest.mark.parametrize(
    ("method", "path", "body"), [*OPERATIONS[1:], ("GET", "/inventory/health", None)]
)
def test_without_a_database_every_operation_returns_503_with_retry_after(
    cut_off: ContractClient, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = cut_off.request(method, path, json=body)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_without_a_database_an_addition_returns_503_with_retry_after(
    cut_off: ContractClient, clients: FakeOwner, products: FakeOwner
) -> None:
    body = purchase_body(clients.create(), products.create())
    for headers in ({}, {"Idempotency-Key": "cut-off"}):
        answer = cut_off.post("/inventory/add_product", json=body, headers=headers)
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, body in OPERATIONS if body]
)
def test_a_body_of_a_wrong_type_or_size_is_rejected(
    api: ContractClient, method: str, path: str
) -> None:
    assert api.request(method, path, content=b"type=client").status_code == 415
    large = b'{"type": "' + b"x" * 65_536 + b'"}'
    json = {"Content-Type": "application/json"}
    assert api.request(method, path, content=large, headers=json).status_code == 413


@pytest.mark.parametrize("given", ["0", "-1", "9223372036854775808", "abc"])
def test_an_invalid_id_is_named(api: ContractClient, given: str) -> None:
    for method, path, field in (
        ("GET", "list_products_ids", "client_id"),
        ("GET", "list_products_id", "client_id"),
        ("DELETE", "remove_product", "item_id"),
    ):
        answer = api.request(method, f"/inventory/{path}/{given}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == field


def test_health_and_the_contract_need_no_token(api: ContractClient) -> None:
    with api.as_caller(None) as stranger:
        assert stranger.get("/inventory/health").status_code == 200
        contract = stranger.get("/inventory/openapi.json").json()
        assert "/inventory/add_product" in contract["paths"]
        assert stranger.get("/inventory/docs/").status_code == 200
