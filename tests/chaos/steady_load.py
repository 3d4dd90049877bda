"""The steady load: writers who insist, newcomers who log in, and somebody who looks who lives."""

import sys
import threading
import time
from collections.abc import Callable

from tests.chaos.caller import Answer, Caller, a_client, a_purchase, log_in
from tests.chaos.history import Outcome
from tests.chaos.workload import Task, Workload, stopping

WRITERS = 6
PAUSE = 0.05  # seconds between two things that a writer does
RETRIES = 200  # of one request, under its one Idempotency-Key
RETRY_PAUSE = 0.1  # seconds
LOOK = 0.25  # seconds between two looks at who lives
LOGIN = 3.0  # seconds between two logins


class Steady(Workload):
    """Callers who go on until they are stopped."""

    def __init__(self, task: Task) -> None:
        """Call whom the task names."""
        super().__init__(task)
        self._crashed = False
        self._bodies: dict[str, dict[str, object]] = {}  # by key: a retry is the same request

    def run(self) -> None:
        """Write, read, buy and delete until told to stop; log in and look who lives beside it."""
        threading.excepthook = self._crash
        threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]
        threads += [threading.Thread(target=self._newcomer)]
        threads += [threading.Thread(target=self._look, args=(base,)) for base in self.task.bases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._crashed:
            sys.exit(1)

    def _crash(self, crash: threading.ExceptHookArgs) -> None:
        """Show that a caller crashed: what it would have seen is missing from the history."""
        threading.__excepthook__(crash)
        self._crashed = True

    def _write(self) -> None:
        caller = self.caller()
        home = self._insist(lambda key: self._note_client(caller, "client", key))
        while home and not stopping.is_set():
            self._address(caller, home)
            self._increment(caller)
            self._purchase(caller, home)
            self._come_and_go(caller)
            self.book.note("page", "-", caller.ask("GET", "/clients/fetch?limit=10"))
        caller.close()

    def _address(self, caller: Caller, home: int) -> None:
        street = self.unique()
        body = {
            "client_id": home,
            "state": "SP",
            "city": "Andradina",
            "street": street,
            "number": 1,
            "CEP": "16900-000",
        }
        self._insist(
            lambda key: self.noted(
                "address", street, caller.ask("POST", "/address/create", body, Idempotency_Key=key)
            )
        )

    def _purchase(self, caller: Caller, home: int) -> None:
        date = self.moment()
        body = a_purchase(home, self.task.product_id, date)
        path = "/inventory/add_product"
        self._insist(
            lambda key: self.noted(
                "purchase", f"{home}:{date}", caller.ask("POST", path, body, Idempotency_Key=key)
            )
        )

    def _increment(self, caller: Caller) -> None:
        """Add one to the counter, read and write under its entity tag."""
        time.sleep(PAUSE)
        counter = self.task.counter_id
        seen = caller.ask("GET", f"/clients/fetch/{counter}")
        self.book.note("fetch", counter, seen)
        if not seen.is_success:
            return
        body = {name: value for name, value in seen.document.items() if name != "id"}
        body["balance"] = float(body["balance"]) + 1
        path, tag = f"/clients/update/{counter}", seen.headers["etag"]
        self.book.note("increment", counter, caller.ask("PUT", path, body, If_Match=tag))

    def _come_and_go(self, caller: Caller) -> None:
        """Make a client who buys and leaves."""
        made = self._insist(lambda key: self._note_client(caller, "visitor", key))
        if made:
            body = a_purchase(made, self.task.product_id, self.moment())
            self.book.note("visit", made, caller.ask("POST", "/inventory/add_product", body))
            self._insist(
                lambda _: self.noted(
                    "deletion", made, caller.ask("DELETE", f"/clients/delete/{made}")
                )
            )

    def _note_client(self, caller: Caller, kind: str, key: str) -> tuple[Outcome, Answer]:
        body = self._bodies.setdefault(key, a_client())
        answer = caller.ask("POST", "/clients/create", body, Idempotency_Key=key)
        return self.noted(kind, body["email"], answer)

    def _insist(self, attempt: Callable[[str], tuple[Outcome, Answer]]) -> int:
        """Repeat a write under one key until it is done or refused; return the id it made, or 0."""
        key = self.unique()
        for _ in range(RETRIES):
            time.sleep(PAUSE)
            outcome, answer = attempt(key)
            if outcome is Outcome.OK:
                return int((answer.document or {}).get("id", 0))
            if stopping.is_set() or (outcome is Outcome.FAILED and answer.status != 409):
                return 0
            time.sleep(RETRY_PAUSE)
        return 0

    def _newcomer(self) -> None:
        """Log in again and again: a new token is taken as well as an old one."""
        while not stopping.wait(LOGIN):
            token = log_in(self.task.url, self.task.user)
            if token:
                for path in ("/clients/fetch?limit=1", "/products/fetch?limit=1"):
                    answer = Caller(self.task.url, token).ask("GET", path)
                    self.book.note("newcomer", path, answer)

    def _look(self, base: str) -> None:
        """Ask a service itself whether it lives."""
        while not stopping.wait(LOOK):
            caller = Caller(base, timeout=2)
            self.book.note("live", base, caller.ask("GET", "/-/live"))
            caller.close()
