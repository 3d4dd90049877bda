"""Workloads that end: bulk deletions, races, and concurrent updates with one entity tag."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.workload import Workload
from tests.support.accounts import new_client, new_purchase

LANES = 4  # pairs that race concurrently
MAX_HEAD_START_SECONDS = 0.04  # of a deletion before its addition


class Burst(Workload):
    """Workloads of a fixed number of requests."""

    def delete(self) -> None:
        """Delete every client of the configuration once."""
        with ThreadPoolExecutor(LANES) as pool:
            callers = threading.local()

            def delete(client_id: int) -> None:
                callers.own = getattr(callers, "own", None) or self.caller()
                response = callers.own.request("DELETE", f"/clients/delete/{client_id}")
                self.history.record("deletion", client_id, response)

            list(pool.map(delete, self.config.clients))

    def race(self) -> None:
        """Add to each client's inventory while the client is deleted."""
        lanes = [self.config.clients[start::LANES] for start in range(LANES)]
        with ThreadPoolExecutor(2 * LANES) as pool:
            futures = []
            for lane in lanes:
                barrier = threading.Barrier(2)
                futures.append(pool.submit(self._add_purchases, lane, barrier))
                futures.append(pool.submit(self._delete_clients, lane, barrier))
            for future in futures:
                future.result()

    def edit(self) -> None:
        """Replace one client from many threads, with the same entity tag."""
        client_id, writers = self.config.clients[0], self.config.writers
        barrier = threading.Barrier(writers)

        def write(number: int) -> None:
            caller, name = self.caller(), f"Escritor {number}"
            body = new_client(name, "chaos")
            barrier.wait()
            path = f"/clients/update/{client_id}"
            response = caller.request("PUT", path, body, If_Match=self.config.etag)
            self.history.record("edit", f"{client_id}:{name}", response)

        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(write, range(writers)))

    def _add_purchases(self, clients: tuple[int, ...], barrier: threading.Barrier) -> None:
        caller = self.caller()
        for client_id in clients:
            body = new_purchase(client_id, self.config.product_id, self.unique_date())
            barrier.wait()
            time.sleep(random.uniform(0, MAX_HEAD_START_SECONDS))  # noqa: S311 - no secret
            response = caller.request("POST", "/inventory/add_product", body)
            self.history.record("race", client_id, response)

    def _delete_clients(self, clients: tuple[int, ...], barrier: threading.Barrier) -> None:
        caller = self.caller()
        for client_id in clients:
            barrier.wait()
            response = caller.request("DELETE", f"/clients/delete/{client_id}")
            self.history.record("deletion", client_id, response)
