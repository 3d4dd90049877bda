"""A monitor: asks each service whether it is well, and now and then replays a journey."""

import random

from locust import between, task

from load.users.persona import Persona

HEALTHS = ("users.health", "clients.health", "products.health", "inventory.health")


class Monitor(Persona):
    """One in the story, at an even pace."""

    weight = 1
    wait_time = between(4, 6)

    @task(4)
    def ask_health(self) -> None:
        """Ask one of the services."""
        self.call(random.choice(HEALTHS))  # noqa: S311 - any of them

    @task(1)
    def ask_for_a_client(self) -> None:
        """Ask whether a client exists."""
        with self.caller.world.client() as client_id:
            self.call("clients.exists", client_id)

    @task(1)
    def ask_for_a_product(self) -> None:
        """Ask whether a product exists."""
        self.call("products.exists", self.caller.world.product())

    @task(1)
    def replay_a_journey(self) -> None:
        """Replay one of the journeys that ship."""
        self.caller.replay()
