"""The seller persona: adds to clients' inventories, lists them, and removes a few rows."""

import random

from locust import between, task

from load.users.persona import Persona

PURCHASE_DATE = "2024-11-01T10:30:00"


class Seller(Persona):
    """Four in the scenario; faster than the attendants."""

    weight = 4
    wait_time = between(1, 4)

    @task(5)
    def add_purchase(self) -> None:
        """Add some items of a product to the inventory of a client."""
        dataset = self.api.dataset
        items = random.randrange(1, 100)  # noqa: S311 - any number will do
        with dataset.use_client() as client_id:
            body = {
                "client_id": client_id,
                "product_id": dataset.random_product(),
                "number_of_items": items,
                "purchase_date": PURCHASE_DATE,
            }
            response = self.call("inventory.add_product", body=body)
            if response.is_ok:
                dataset.purchase_confirmed(client_id, response.body["id"], items)
            elif response.is_uncertain:
                dataset.purchase_uncertain(client_id, items)

    @task(4)
    def list_inventory(self) -> None:
        """List the inventory of a client."""
        with self.api.dataset.use_client() as client_id:
            self.call("inventory.list_products", client_id)

    @task(1)
    def remove_purchase(self) -> None:
        """Remove a purchase from an inventory."""
        dataset = self.api.dataset
        purchase = dataset.remove_purchase()
        if purchase is None:
            self.list_inventory()
            return
        with dataset.use_client(purchase.client_id):
            response = self.call("inventory.remove_product", purchase.id)
        if response.is_ok:
            dataset.removal_confirmed(purchase)
        else:
            dataset.removal_uncertain(purchase)
