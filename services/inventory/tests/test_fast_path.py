"""No check of the inventory is skipped on the way that is fast."""

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

RELAY, BLIND = "relay", "who may not know of clients"
CALLERS = {RELAY: "inventory:remove", BLIND: "inventory:write products:read"}


@dataclass(frozen=True)
class World:
    """What is there before, for the bad requests to bounce off."""

    client: int
    product: int
    item: int  # an entry of that client and that product
    gone_client: int  # whom the inventory knows to be gone, and whose owner does not say so
    gone_product: int  # the same of a product


class Inventory(InvalidRequestCases):
    """What the inventory must refuse."""

    service = "inventory"

    def __init__(self, world: World) -> None:
        """Have nothing but ``world`` in the database and at the owners."""
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
        """Yield what nobody owns, what is gone, what no clock shows, and who may not know."""
        add, world = self.valid("inventory.add_product"), self._world
        yield add.with_body(client_id=MISSING_ID).expect(404, "nobody's")
        yield add.with_body(product_id=MISSING_ID).expect(404, "no product")
        yield add.with_body(client_id=world.gone_client).expect(404, "a client who is gone")
        yield add.with_body(product_id=world.gone_product).expect(404, "a product that is gone")
        yield add.with_body(purchase_date="2023-02-29").expect(400, "there is no such day")
        yield add.with_body(purchase_date="0001-01-01T00:00:00+01:00").expect(
            400, "before all time"
        )
        yield add.as_user(bearer(BLIND)).expect(403, "who may not know of clients")
        for operation in (
            "inventory.add_product",
            "inventory.list_products",
            "inventory.list_products.alias",
            "inventory.remove_product",
        ):
            yield self.valid(operation).as_user(bearer(RELAY)).expect(403, "a relay")

    def exercise(self, send: Send) -> Iterator[httpx.Response]:
        """Make a valid request of each operation, on the older paths too."""
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
    """The environment of a service on a database of its own."""
    return {**settings, "DATABASE_URL": migrated_url_factory("inventory")}


@pytest.fixture
def refusals(
    own_settings: dict[str, str], issuer: FakeIssuer, clients: FakeOwner, products: FakeOwner
) -> Inventory:
    """What it refuses; its rows were made by another process than the one that is tried."""
    with environment(**own_settings):
        app = create_app()
    client, product, gone_client, gone_product = (
        owner.create() for owner in (clients, products, clients, products)
    )
    user, relay = (
        {"Authorization": f"Bearer {token}"}
        for token in (issuer.token(), issuer.token(scope=CALLERS[RELAY]))
    )
    with serve(app) as url, httpx.Client(base_url=f"{url}/inventory") as caller:
        for kind, identifier in (("client", gone_client), ("product", gone_product)):
            body = {"remotion_id": identifier, "type": kind}
            gone = caller.request("DELETE", "/remove_many", json=body, headers=relay)
            gone.raise_for_status()
        purchase, key = purchase_body(client, product), {**user, "Idempotency-Key": KEY}
        made = caller.post("/add_product", json=purchase, headers=key).raise_for_status()
        return Inventory(World(client, product, made.json()["id"], gone_client, gone_product))


def test_each_refusal_that_is_declared_has_a_bad_request() -> None:
    nowhere = Inventory(World(1, 1, 1, 2, 2))
    assert nowhere.covered() == nowhere.declared()


def test_what_is_refused_cold_is_refused_warm_and_alike(
    own_settings: dict[str, str], issuer: FakeIssuer, refusals: Inventory
) -> None:
    assert check_fast_path(refusals, own_settings, issuer.token) == []
