"""The monitor persona: calls the health checks, and replays a journey now and then."""

import random

from locust import between, task

from load.users.persona import Persona

HEALTH_OPERATIONS = ("users.health", "clients.health", "products.health", "inventory.health")


class Monitor(Persona):
    """A monitoring client: one action every 4 to 6 s, the rarest persona."""

    weight = 1
    wait_time = between(4, 6)

    @task(4)
    def check_health(self) -> None:
        """Call the health check of a random service."""
        self.call(random.choice(HEALTH_OPERATIONS))  # noqa: S311 - any of them

    @task(1)
    def check_client(self) -> None:
        """Check that a client exists."""
        with self.api.dataset.use_client() as client_id:
            self.call("clients.exists", client_id)

    @task(1)
    def check_product(self) -> None:
        """Check that a product exists."""
        self.call("products.exists", self.api.dataset.random_product())

    @task(1)
    def replay_journey(self) -> None:
        """Replay one of the shipped journeys."""
        self.api.replay_journey()
