"""A seller: adds to clients' inventories, shows them, and takes something back now and then."""

import random

from locust import between, task

from load.users.persona import Persona

PURCHASE_DATE = "2024-11-01T10:30:00"


class Seller(Persona):
    """Four in the story, and in more of a hurry than the attendants."""

    weight = 4
    wait_time = between(1, 4)

    @task(5)
    def sell(self) -> None:
        """Sell some of a product to a client."""
        world = self.caller.world
        items = random.randrange(1, 100)  # noqa: S311 - any number will do
        with world.client() as client_id:
            body = {
                "client_id": client_id,
                "product_id": world.product(),
                "number_of_items": items,
                "purchase_date": PURCHASE_DATE,
            }
            answer = self.call("inventory.add_product", body=body)
            if answer.is_ok:
                world.bought(client_id, answer.body["id"], items)
            elif answer.is_unknown:
                world.maybe_bought(client_id, items)

    @task(4)
    def show(self) -> None:
        """Show a client what they have."""
        with self.caller.world.client() as client_id:
            self.call("inventory.list_products", client_id)

    @task(1)
    def take_back(self) -> None:
        """Take a purchase back."""
        world = self.caller.world
        purchase = world.take_purchase()
        if purchase is None:
            self.show()
            return
        with world.client(purchase.client_id):
            answer = self.call("inventory.remove_product", purchase.id)
        if answer.is_ok:
            world.taken_back(purchase)
        else:
            world.maybe_taken_back(purchase)
