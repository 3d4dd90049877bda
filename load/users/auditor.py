"""An auditor: reads lists, page after page."""

import re

from locust import between, task

from load.users.persona import Persona

PAGES = 3  # at one go
NEXT = re.compile(r"<[^>]*(\?[^>]*)>; *rel=\"?next")


class Auditor(Persona):
    """One in the story, and a slow reader."""

    weight = 1
    wait_time = between(5, 10)

    @task(2)
    def read_clients(self) -> None:
        """Page through the clients."""
        self._read("clients.list_all")

    @task(1)
    def read_addresses(self) -> None:
        """Page through the addresses."""
        self._read("addresses.list_all")

    @task(1)
    def read_products(self) -> None:
        """Page through the products."""
        self._read("products.list_all")

    def _read(self, operation: str) -> None:
        query = "?limit=100"
        for _ in range(PAGES):
            answer = self.call(operation, query=query)
            following = NEXT.search(answer.link)
            if following is None:
                return
            query = following[1]
