"""What is done all at once, to its end: deletions, races, and edits under one entity tag."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.caller import a_client, a_purchase
from tests.chaos.workload import Workload

LANES = 4  # pairs that race at the same time
HEAD_START = 0.04  # seconds at most by which a deletion is let go before its addition, or after


class Burst(Workload):
    """Callers who have something to do, and end."""

    def delete(self) -> None:
        """Delete every client of the task, once each."""
        with ThreadPoolExecutor(LANES) as pool:
            callers = threading.local()

            def delete(client_id: int) -> None:
                callers.it = getattr(callers, "it", None) or self.caller()
                answer = callers.it.ask("DELETE", f"/clients/delete/{client_id}")
                self.book.note("deletion", client_id, answer)

            list(pool.map(delete, self.task.clients))

    def race(self) -> None:
        """Add to each client's inventory while the client is deleted."""
        lanes = [self.task.clients[start::LANES] for start in range(LANES)]
        with ThreadPoolExecutor(2 * LANES) as pool:
            racing = []
            for lane in lanes:
                meeting = threading.Barrier(2)
                racing.append(pool.submit(self._race_adds, lane, meeting))
                racing.append(pool.submit(self._race_deletes, lane, meeting))
            for each in racing:
                each.result()

    def edit(self) -> None:
        """Let many writers replace one client, each with the same entity tag."""
        client_id, writers = self.task.clients[0], self.task.writers
        meeting = threading.Barrier(writers)

        def write(number: int) -> None:
            caller = self.caller()
            body = a_client(name=f"Escritor {number}")
            meeting.wait()
            answer = caller.ask(
                "PUT", f"/clients/update/{client_id}", body, If_Match=self.task.version
            )
            self.book.note("edit", f"{client_id}:Escritor {number}", answer)

        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(write, range(writers)))

    def _race_adds(self, clients: tuple[int, ...], meeting: threading.Barrier) -> None:
        caller = self.caller()
        for client_id in clients:
            body = a_purchase(client_id, self.task.product_id, self.moment())
            meeting.wait()
            time.sleep(random.uniform(0, HEAD_START))  # noqa: S311 - a moment, no secret
            self.book.note("race", client_id, caller.ask("POST", "/inventory/add_product", body))

    def _race_deletes(self, clients: tuple[int, ...], meeting: threading.Barrier) -> None:
        caller = self.caller()
        for client_id in clients:
            meeting.wait()
            answer = caller.ask("DELETE", f"/clients/delete/{client_id}")
            self.book.note("deletion", client_id, answer)
