"""Whoever looks after the catalogue: makes products, changes prices, drops drafts."""

from locust import between, task

from load.users import fake_data
from load.users.persona import Persona


class CatalogueKeeper(Persona):
    """One in the story. Looks twice before a price is changed."""

    weight = 1
    wait_time = between(5, 10)

    @task(2)
    def draft(self) -> None:
        """Make a product that is not for sale yet."""
        world = self.caller.world
        answer = self.call("products.create", body=fake_data.product(world.run))
        if answer.is_ok:
            world.drafts.append(answer.body["id"])

    @task(1)
    def drop(self) -> None:
        """Delete a draft."""
        if self.caller.world.drafts:
            self.call("products.delete", self.caller.world.drafts.pop())
        else:
            self.draft()

    @task(4)
    def look_at(self) -> None:
        """Look at a product."""
        self.call("products.fetch", self.caller.world.product())

    @task(2)
    def reprice(self) -> None:
        """Change a product's price."""
        world = self.caller.world
        self.call("products.update", world.product(), body=fake_data.product(world.run))

    @task(1)
    def browse(self) -> None:
        """Look at a page of the catalogue."""
        self.call("products.list_all", query="?limit=50")
