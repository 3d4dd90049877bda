"""The fast path of the inventory skips no validation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from inventory.app import create_app
from servicekit.testing import (
    KEY,
    CaseFixtures,
    FakeIssuer,
    InvalidRequest,
    InvalidRequestCases,
    Send,
    bearer,
    check_fast_path,
    environment,
    serve,
)
from tests.support.inventory.fake_owners import FakeOwner
from tests.support.inventory.purchases import MISSING_ID, purchase_body

RELAY, NO_CLIENTS_SCOPE = "relay", "a token without the scope clients:read"
CALLERS = {RELAY: "inventory:remove", NO_CLIENTS_SCOPE: "inventory:write products:read"}


@dataclass(frozen=True)
class World:
    """Existing objects for the invalid requests."""

    client: int
    product: int
    item: int  # an entry of that client and that product
    deleted_client: int  # with a tombstone in the inventory, but not deleted in its service
    deleted_product: int  # as above


class Inventory(InvalidRequestCases):
    """Requests that the inventory must reject."""

    service = "inventory"

    def __init__(self, world: World) -> None:
        """Derive requests from the contract for the objects of ``world``."""
        self._world = world
        again = purchase_body(world.client, world.product, number_of_items=2)
        nothing = {"remotion_id": MISSING_ID, "type": "client"}
        super().__init__(
            CaseFixtures(
                identifiers={"client_id": world.client, "item_id": world.item},
                bodies={"inventory.add_product": again, "inventory.remove_many": nothing},
                tables={"inventory.add_product": "inventory_items"},
                scopes=CALLERS,
            )
        )

    def conflicts(self) -> Iterator[InvalidRequest]:
        """Yield requests with missing objects, invalid dates and missing scopes."""
        add, world = self.valid("inventory.add_product"), self._world
        yield add.with_body(client_id=MISSING_ID).expect(404, "a missing client")
        yield add.with_body(product_id=MISSING_ID).expect(404, "a missing product")
        yield add.with_body(client_id=world.deleted_client).expect(404, "a deleted client")
        yield add.with_body(product_id=world.deleted_product).expect(404, "a deleted product")
        yield add.with_body(purchase_date="2023-02-29").expect(400, "an invalid date")
        yield add.with_body(purchase_date="0001-01-01T00:00:00+01:00").expect(
            400, "a date before year 1"
        )
        yield add.as_user(bearer(NO_CLIENTS_SCOPE)).expect(403, NO_CLIENTS_SCOPE)
        for operation in (
            "inventory.add_product",
            "inventory.list_products",
            "inventory.list_products.alias",
            "inventory.remove_product",
        ):
            yield self.valid(operation).as_user(bearer(RELAY)).expect(403, "a relay")

    def exercise(self, send: Send) -> Iterator[httpx.Response]:
        """Send a valid request to each operation, including deprecated paths."""
        client, product = self._world.client, self._world.product
        yield send("GET", f"/inventory/list_products_ids/{client}")
        yield send("GET", f"/inventory/list_products_id/{client}")
        for path in ("remove_many", "remove_products"):
            for kind in ("client", "product"):
                body = {"remotion_id": MISSING_ID, "type": kind}
                yield send("DELETE", f"/inventory/{path}", json=body)
        made = send("POST", "/inventory/add_product", json=purchase_body(client, product))
        yield made
        yield send("DELETE", f"/inventory/remove_product/{made.json().get('id', MISSING_ID)}")


@pytest.fixture
def own_settings(
    settings: dict[str, str], migrated_url_factory: Callable[[str], str]
) -> dict[str, str]:
    """The environment of a service with a separate database."""
    return {**settings, "DATABASE_URL": migrated_url_factory("inventory")}


@pytest.fixture
def invalid_requests(
    own_settings: dict[str, str], issuer: FakeIssuer, clients: FakeOwner, products: FakeOwner
) -> Inventory:
    """Invalid requests; their rows are created by another process than the tested one."""
    with environment(**own_settings):
        app = create_app()
    client, product, deleted_client, deleted_product = (
        owner.create() for owner in (clients, products, clients, products)
    )
    user, relay = (
        {"Authorization": f"Bearer {token}"}
        for token in (issuer.token(), issuer.token(scope=CALLERS[RELAY]))
    )
    with serve(app) as url, httpx.Client(base_url=f"{url}/inventory") as caller:
        for kind, identifier in (("client", deleted_client), ("product", deleted_product)):
            body = {"remotion_id": identifier, "type": kind}
            response = caller.request("DELETE", "/remove_many", json=body, headers=relay)
            response.raise_for_status()
        purchase, key = purchase_body(client, product), {**user, "Idempotency-Key": KEY}
        made = caller.post("/add_product", json=purchase, headers=key).raise_for_status()
        return Inventory(World(client, product, made.json()["id"], deleted_client, deleted_product))


def test_each_declared_error_has_an_invalid_request() -> None:
    cases = Inventory(World(1, 1, 1, 2, 2))
    assert cases.covered() == cases.declared()


def test_warm_caches_reject_the_same_requests_as_cold_ones(
    own_settings: dict[str, str], issuer: FakeIssuer, invalid_requests: Inventory
) -> None:
    assert check_fast_path(invalid_requests, own_settings, issuer.token) == []
