"""What callers do while the system is being hurt: a process of its own, told by one JSON object.

Every attempt goes into a book (see `history.py`); SIGTERM ends the steady load.
"""

import argparse
import itertools
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.chaos.caller import Answer, Caller, a_client, a_purchase, log_in
from scripts.chaos.history import Book, Outcome

WRITERS = 6
PAUSE = 0.05  # seconds between two things that a writer does
RETRIES = 200  # of one request, under its one Idempotency-Key
RETRY_PAUSE = 0.1  # seconds
LOOK = 0.25  # seconds between two looks at who lives
LOGIN = 3.0  # seconds between two logins
LANES = 4  # pairs that race at the same time
HEAD_START = 0.04  # seconds at most by which a deletion is let go before its addition, or after

stopping = threading.Event()


@dataclass(frozen=True)
class Task:
    """What a workload is told."""

    url: str  # of the ingress
    token: str
    book: Path
    product_id: int = 0
    user: tuple[str, str] = ("", "")
    bases: tuple[str, ...] = ()  # of the services themselves
    counter_id: int = 0  # a client whose balance counts
    clients: tuple[int, ...] = ()  # who are to go
    writers: int = 0
    version: str = ""


class Workload:
    """The callers of one task."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.book = Book(task.book)
        self._numbers = itertools.count()
        self._crashed = False
        self._bodies: dict[str, dict[str, object]] = {}  # by key: a retry is the same request

    def steady(self) -> None:
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

    def delete(self) -> None:
        """Delete every client of the task, once each."""
        with ThreadPoolExecutor(LANES) as pool:
            callers = threading.local()

            def delete(client_id: int) -> None:
                callers.it = getattr(callers, "it", None) or self._caller()
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
            caller = self._caller()
            body = a_client(name=f"Escritor {number}")
            meeting.wait()
            answer = caller.ask(
                "PUT", f"/clients/update/{client_id}", body, If_Match=self.task.version
            )
            self.book.note("edit", f"{client_id}:Escritor {number}", answer)

        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(write, range(writers)))

    def _race_adds(self, clients: tuple[int, ...], meeting: threading.Barrier) -> None:
        caller = self._caller()
        for client_id in clients:
            body = a_purchase(client_id, self.task.product_id, self._moment())
            meeting.wait()
            time.sleep(random.uniform(0, HEAD_START))  # noqa: S311 - a moment, no secret
            self.book.note("race", client_id, caller.ask("POST", "/inventory/add_product", body))

    def _race_deletes(self, clients: tuple[int, ...], meeting: threading.Barrier) -> None:
        caller = self._caller()
        for client_id in clients:
            meeting.wait()
            answer = caller.ask("DELETE", f"/clients/delete/{client_id}")
            self.book.note("deletion", client_id, answer)

    def _crash(self, crash: threading.ExceptHookArgs) -> None:
        """Show that a caller crashed: what it would have seen is missing from the history."""
        threading.__excepthook__(crash)
        self._crashed = True

    def _write(self) -> None:
        caller = self._caller()
        home = self._insist(lambda key: self._note_client(caller, "client", key))
        while home and not stopping.is_set():
            self._address(caller, home)
            self._increment(caller)
            self._purchase(caller, home)
            self._come_and_go(caller)
            self.book.note("page", "-", caller.ask("GET", "/clients/fetch?limit=10"))
        caller.close()

    def _address(self, caller: Caller, home: int) -> None:
        street = self._unique()
        body = {
            "client_id": home,
            "state": "SP",
            "city": "Andradina",
            "street": street,
            "number": 1,
            "CEP": "16900-000",
        }
        self._insist(
            lambda key: self._noted(
                "address", street, caller.ask("POST", "/address/create", body, Idempotency_Key=key)
            )
        )

    def _purchase(self, caller: Caller, home: int) -> None:
        date = self._moment()
        body = a_purchase(home, self.task.product_id, date)
        path = "/inventory/add_product"
        self._insist(
            lambda key: self._noted(
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
            body = a_purchase(made, self.task.product_id, self._moment())
            self.book.note("visit", made, caller.ask("POST", "/inventory/add_product", body))
            self._insist(
                lambda _: self._noted(
                    "deletion", made, caller.ask("DELETE", f"/clients/delete/{made}")
                )
            )

    def _note_client(self, caller: Caller, kind: str, key: str) -> tuple[Outcome, Answer]:
        body = self._bodies.setdefault(key, a_client())
        answer = caller.ask("POST", "/clients/create", body, Idempotency_Key=key)
        return self._noted(kind, body["email"], answer)

    def _noted(self, kind: str, element: object, answer: Answer) -> tuple[Outcome, Answer]:
        return self.book.note(kind, element, answer).outcome, answer

    def _insist(self, attempt: Callable[[str], tuple[Outcome, Answer]]) -> int:
        """Repeat a write under one key until it is done or refused; return the id it made, or 0."""
        key = self._unique()
        for _ in range(RETRIES):
            time.sleep(PAUSE)
            outcome, answer = attempt(key)
            if outcome is Outcome.OK:
                return int((answer.document or {}).get("id", 0))
            if stopping.is_set() or (outcome is Outcome.FAILED and answer.status != 409):  # noqa: PLR2004 - its twin runs
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

    def _caller(self) -> Caller:
        return Caller(self.task.url, self.task.token)

    def _unique(self) -> str:
        return f"{os.getpid()}-{time.monotonic_ns()}-{next(self._numbers)}"

    def _moment(self) -> str:
        """Return a date that no other purchase of this process has."""
        seconds, micros = divmod(next(self._numbers), 999_999)
        return f"2024-01-01T00:00:{seconds:02d}.{micros + 1:06d}+00:00"


WORKLOADS = {
    "steady": Workload.steady,
    "delete": Workload.delete,
    "race": Workload.race,
    "edit": Workload.edit,
}


def main() -> None:
    """Run one workload to its end."""
    parser = argparse.ArgumentParser(prog="workloads.py", description=__doc__)
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("task", type=Path, help="the JSON object that tells what to do")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the conductor tells when to stop
    values = json.loads(options.task.read_text())
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    task = Task(**{**values, **lists, "book": Path(values["book"])})
    WORKLOADS[options.name](Workload(task))


if __name__ == "__main__":
    main()
