"""No check of the inventory is skipped on the way that is fast."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from inventory.app import create_app
from servicekit.testing import (
    KEY,
    Bad,
    Given,
    Issuer,
    Refusals,
    Send,
    bearer,
    environment,
    fast_path_faults,
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


class Inventory(Refusals):
    """What the inventory must refuse."""

    service = "inventory"

    def __init__(self, world: World) -> None:
        """Have nothing but ``world`` in the database and at the owners."""
        self._world = world
        again = purchase_body(world.client, world.product, number_of_items=2)
        nothing = {"remotion_id": MISSING_ID, "type": "client"}
        super().__init__(
            Given(
                identifiers={"client_id": world.client, "item_id": world.item},
                bodies={"inventory.add_product": again, "inventory.remove_many": nothing},
                tables={"inventory.add_product": "inventory_items"},
                callers=CALLERS,
            )
        )

    def conflicts(self) -> Iterator[Bad]:
        """Yield what nobody owns, what is gone, what no clock shows, and who may not know."""
        add, world = self.good("inventory.add_product"), self._world
        yield add.having(client_id=MISSING_ID).but("nobody's", 404)
        yield add.having(product_id=MISSING_ID).but("no product", 404)
        yield add.having(client_id=world.gone_client).but("a client who is gone", 404)
        yield add.having(product_id=world.gone_product).but("a product that is gone", 404)
        yield add.having(purchase_date="2023-02-29").but("there is no such day", 400)
        yield add.having(purchase_date="0001-01-01T00:00:00+01:00").but("before all time", 400)
        yield add.by(bearer(BLIND)).but("who may not know of clients", 403)
        for operation in (
            "inventory.add_product",
            "inventory.list_products",
            "inventory.list_products.alias",
            "inventory.remove_product",
        ):
            yield self.good(operation).by(bearer(RELAY)).but("a relay", 403)

    def use(self, send: Send) -> Iterator[httpx.Response]:
        """Make a good request of each operation, on the older paths too."""
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
    own_settings: dict[str, str], issuer: Issuer, clients: FakeOwner, products: FakeOwner
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
    assert nowhere.brought_about() == nowhere.declared()


def test_what_is_refused_cold_is_refused_warm_and_alike(
    own_settings: dict[str, str], issuer: Issuer, refusals: Inventory
) -> None:
    assert fast_path_faults(refusals, own_settings, issuer.token) == []
