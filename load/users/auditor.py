"""The auditor persona: reads lists, page by page."""

import re

from locust import between, task

from load.users.persona import Persona

MAX_PAGES = 3  # of one action
NEXT_LINK = re.compile(r"<[^>]*(\?[^>]*)>; *rel=\"?next")


class Auditor(Persona):
    """One in the scenario; 5 to 10 seconds between two lists."""

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
        for _ in range(MAX_PAGES):
            response = self.call(operation, query=query)
            next_link = NEXT_LINK.search(response.link)
            if next_link is None:
                return
            query = next_link[1]
