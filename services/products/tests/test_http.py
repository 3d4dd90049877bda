"""Authorization, rejected bodies, and responses without a database."""

from collections.abc import Iterator

import httpx
import pytest

from products.app import create_app
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
    environment,
    peer_settings,
    serve,
    wait_until,
)
from tests.support.products.request_bodies import product_body

OPERATIONS = [
    ("POST", "/products/create", product_body()),
    ("GET", "/products/fetch/1", None),
    ("GET", "/products/fetch", None),
    ("PUT", "/products/update/1", product_body()),
    ("DELETE", "/products/delete/1", None),
    ("GET", "/products/exists/1", None),
]
WRITES = [("POST", "/products/create"), ("PUT", "/products/update/1")]


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
        ContractClient(base, CONTRACTS / "products.yaml", "unit", issuer.token()) as client,
    ):
        wait_until(
            lambda: client.get("/products/fetch/0").status_code == httpx.codes.BAD_REQUEST,
            "the keys to be there",
        )
        yield client


def test_the_exists_scope_allows_only_existence_checks(
    api: ContractClient, issuer: FakeIssuer
) -> None:
    with api.as_caller(issuer.token(scope="products:exists")) as service:
        assert service.get("/products/exists/1").status_code == 200
        assert service.get("/products/fetch/1").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body"), [*OPERATIONS, ("GET", "/products/health", None)]
)
def test_without_a_database_every_operation_returns_503_with_retry_after(
    cut_off: ContractClient, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = cut_off.request(method, path, json=body)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_body_of_a_wrong_type_or_size_is_rejected(
    api: ContractClient, method: str, path: str
) -> None:
    assert api.request(method, path, content=b"name=a").status_code == 415
    large = b'{"name": "' + b"x" * 65_536 + b'"}'
    json = {"Content-Type": "application/json"}
    assert api.request(method, path, content=large, headers=json).status_code == 413


def test_health_and_the_contract_need_no_token(api: ContractClient) -> None:
    with api.as_caller(None) as stranger:
        assert stranger.get("/products/health").status_code == 200
        assert "/products/create" in stranger.get("/products/openapi.json").json()["paths"]
        assert stranger.get("/products/docs/").status_code == 200
