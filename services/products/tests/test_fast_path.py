"""The fast path of products skips no validation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from products.app import create_app
from servicekit.testing import (
    KEY,
    MISSING_ID,
    CaseFixtures,
    FakeIssuer,
    InvalidRequest,
    InvalidRequestCases,
    Send,
    check_fast_path,
    environment,
    peer_settings,
    serve,
)
from tests.support.products.request_bodies import product_body


@dataclass(frozen=True)
class World:
    """Existing rows for the invalid requests."""

    product: int
    name: str  # of another product


class Products(InvalidRequestCases):
    """Requests that products must reject."""

    service = "products"

    def __init__(self, world: World) -> None:
        """Derive requests from the contract for the rows of ``world``."""
        self._world = world
        super().__init__(
            CaseFixtures(
                identifiers={"product_id": world.product},
                bodies={"products.create": product_body(), "products.update": product_body()},
                tables={"products.create": "products"},
            )
        )

    def conflicts(self) -> Iterator[InvalidRequest]:
        """Yield requests with duplicate names and invalid prices."""
        for valid in (self.valid("products.create"), self.valid("products.update")):
            for name in (self._world.name, self._world.name.upper()):
                yield valid.with_body(name=name).expect(409, f"{name} is another's")
            yield valid.with_body(price="1.001").expect(400, "a price is in cents")

    def exercise(self, send: Send) -> Iterator[httpx.Response]:
        """Send a valid request to each operation."""
        product = self._world.product
        yield send("GET", f"/products/fetch/{product}")
        yield send("GET", "/products/fetch")
        yield send("GET", "/products/fetch", params={"name": self._world.name, "status": "true"})
        yield send("GET", f"/products/exists/{product}")
        yield send("PUT", f"/products/update/{product}", json=product_body())
        made = send("POST", "/products/create", json=product_body())
        yield made
        yield send("DELETE", f"/products/delete/{made.json().get('id', MISSING_ID)}")


@pytest.fixture
def settings(
    migrated_url_factory: Callable[[str], str], issuer: FakeIssuer, tmp_path: Path
) -> dict[str, str]:
    """The environment of a service with a separate database."""
    url = migrated_url_factory("products")
    return peer_settings(issuer, url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


@pytest.fixture
def invalid_requests(settings: dict[str, str], issuer: FakeIssuer) -> Products:
    """Invalid requests; their rows are created by another process than the tested one."""
    with environment(**settings):
        app = create_app()
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with serve(app) as url, httpx.Client(base_url=url, headers=headers) as user:
        other, key = product_body(), {"Idempotency-Key": KEY}
        user.post("/products/create", json=other).raise_for_status()
        made = user.post("/products/create", json=product_body(), headers=key).raise_for_status()
        return Products(World(made.json()["id"], other["name"]))


def test_each_declared_error_has_an_invalid_request() -> None:
    cases = Products(World(1, "Teclado"))
    assert cases.covered() == cases.declared()


def test_warm_caches_reject_the_same_requests_as_cold_ones(
    settings: dict[str, str], issuer: FakeIssuer, invalid_requests: Products
) -> None:
    assert check_fast_path(invalid_requests, settings, issuer.token) == []
