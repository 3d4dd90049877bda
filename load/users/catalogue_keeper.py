"""The catalogue keeper persona: creates products, changes prices, deletes drafts."""

from locust import between, task

from load.users import fake_data
from load.users.persona import Persona


class CatalogueKeeper(Persona):
    """One in the scenario; reads twice as often as it changes a price."""

    weight = 1
    wait_time = between(5, 10)

    @task(2)
    def create_draft(self) -> None:
        """Create a product that is not for sale yet."""
        dataset = self.api.dataset
        response = self.call("products.create", body=fake_data.product(dataset.run_id))
        if response.is_ok:
            dataset.drafts.append(response.body["id"])

    @task(1)
    def delete_draft(self) -> None:
        """Delete a draft."""
        if self.api.dataset.drafts:
            self.call("products.delete", self.api.dataset.drafts.pop())
        else:
            self.create_draft()

    @task(4)
    def fetch_product(self) -> None:
        """Fetch a product."""
        self.call("products.fetch", self.api.dataset.random_product())

    @task(2)
    def update_price(self) -> None:
        """Update a product's price."""
        dataset = self.api.dataset
        body = fake_data.product(dataset.run_id)
        self.call("products.update", dataset.random_product(), body=body)

    @task(1)
    def list_products(self) -> None:
        """List a page of the catalogue."""
        self.call("products.list_all", query="?limit=50")
