"""No check of products is skipped on the way that is fast."""

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
    """Rows that are there before, for the bad requests to bounce off."""

    product: int
    name: str  # of another product


class Products(InvalidRequestCases):
    """What products must refuse."""

    service = "products"

    def __init__(self, world: World) -> None:
        """Have nothing but ``world`` in the database."""
        self._world = world
        super().__init__(
            CaseFixtures(
                identifiers={"product_id": world.product},
                bodies={"products.create": product_body(), "products.update": product_body()},
                tables={"products.create": "products"},
            )
        )

    def conflicts(self) -> Iterator[InvalidRequest]:
        """Yield what another product is called, however it is spelt, and what is no price."""
        for valid in (self.valid("products.create"), self.valid("products.update")):
            for name in (self._world.name, self._world.name.upper()):
                yield valid.with_body(name=name).expect(409, f"{name} is another's")
            yield valid.with_body(price="1.001").expect(400, "a price is in cents")

    def exercise(self, send: Send) -> Iterator[httpx.Response]:
        """Make a valid request of each operation."""
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
    """The environment of a service on a database of its own."""
    url = migrated_url_factory("products")
    return peer_settings(issuer, url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


@pytest.fixture
def refusals(settings: dict[str, str], issuer: FakeIssuer) -> Products:
    """What it refuses; its rows were made by another process than the one that is tried."""
    with environment(**settings):
        app = create_app()
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with serve(app) as url, httpx.Client(base_url=url, headers=headers) as user:
        other, key = product_body(), {"Idempotency-Key": KEY}
        user.post("/products/create", json=other).raise_for_status()
        made = user.post("/products/create", json=product_body(), headers=key).raise_for_status()
        return Products(World(made.json()["id"], other["name"]))


def test_each_refusal_that_is_declared_has_a_bad_request() -> None:
    nowhere = Products(World(1, "Teclado"))
    assert nowhere.covered() == nowhere.declared()


def test_what_is_refused_cold_is_refused_warm_and_alike(
    settings: dict[str, str], issuer: FakeIssuer, refusals: Products
) -> None:
    assert check_fast_path(refusals, settings, issuer.token) == []
