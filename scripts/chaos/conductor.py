"""The system that is hurt: the processes of `make run`, started again when they end."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, named so there

from localstack.folder import DataFolder
from localstack.stack import ROOT, SERVICES, Stack, free_ports
from localstack.supervisor import die_with_parent
from scripts.chaos.caller import Caller, a_client, log_in, make_user
from scripts.chaos.history import Final

WORKERS = 2  # of each service, so that one may die beside another
WATCH = 0.05  # seconds between two looks at the processes
PATIENCE = 60.0  # seconds until a system that does not recover is given up
POOLS = {"clients": "client_id", "products": "product_id"}  # what of the inventory they own


class BrokenError(Exception):
    """The system did not recover, or a step of a fault went wrong; the message tells which."""


class System:
    """One system, one supervisor without threads, and the workloads that call it."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        """Keep everything in ``folder``; nothing happens yet."""
        os.environ["WORKERS"] = str(WORKERS)
        self.folder = folder
        self._data = DataFolder(folder / "data")
        self.stack = Stack(self._data, free_ports(1)[0], "strict", say=say, pause=time.sleep)
        self.held: set[str] = set()
        self.revived: Counter[str] = Counter()
        self.token = ""
        self.product_id = self.counter_id = 0

    def start(self) -> None:
        """Start it, with a user and a product."""
        self._data.open()
        self.stack.start()
        self.user = make_user(self.stack.url)
        self.wait_until(self._has_token)
        product = {"name": f"Caos {secrets.token_hex(4)}", "description": "-", "quantity": 1}
        body = {**product, "price": 1.0, "status": True}
        self.product_id = self.make("/products/create", body)

    def _has_token(self) -> bool:
        self.token = log_in(self.stack.url, self.user) or ""
        return bool(self.token)

    def stop(self) -> None:
        """Stop it."""
        self.stack.stop()
        self._data.close()

    def pause(self, seconds: float) -> None:
        """Wait, and start again what ends meanwhile."""
        self.wait_until(lambda: False, seconds)

    def wait_until(self, is_so: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Wait, and start again what ends meanwhile; return how long it took, in seconds."""
        began = time.monotonic()
        while not is_so() and time.monotonic() - began < patience:
            time.sleep(WATCH)
            self.revived.update(self.stack.revive(self.held))
        return time.monotonic() - began

    def recover(self, began: float) -> float:
        """Wait until it is well again, and return the seconds since ``began``."""
        self.wait_until(self.is_well)
        if not self.is_well():
            message = f"not well again after {PATIENCE:.0f} s; the logs are in {self._data.logs}"
            raise BrokenError(message)
        return time.monotonic() - began

    def is_well(self) -> bool:
        """Tell whether every service is ready, behind the port too, with every worker there."""
        paths = [(base, "/-/ready") for base in self.stack.bases.values()]
        paths += [(self.stack.url, f"/{part}/health") for part in ("users", *SERVICES[1:])]
        if not all(_is_green(base, path) for base, path in paths):
            return False
        return all(len(self.workers(name)) == WORKERS for name in SERVICES)

    def process(self, name: str) -> psutil.Process:
        """Return the process of a part."""
        process = self.stack.supervisor.child(name).process
        if process is None:
            message = f"{name} was never started"
            raise BrokenError(message)
        return psutil.Process(process.pid)

    def workers(self, name: str) -> list[psutil.Process]:
        """Return the workers of a service; none when it is down."""
        try:
            return self.process(name).children()
        except psutil.NoSuchProcess:
            return []

    def postgres(self) -> list[psutil.Process]:
        """Return the processes of the database, the first of them the one that starts the rest."""
        server = self.stack.postgres.process
        parent = psutil.Process(server.pid) if server else None
        return [parent, *parent.children()] if parent else []

    @contextmanager
    def down(self, name: str) -> Iterator[None]:
        """Kill a part, and keep it down for a while."""
        self.held.add(name)
        try:
            self.stack.supervisor.child(name).signal(signal.SIGKILL)
            self.wait_until(self.stack.supervisor.child(name).ended)
            yield
        finally:
            self.held.discard(name)

    def keys(self, *arguments: str) -> str:
        """Run auth's command for signing keys, and return what it prints."""
        command = [sys.executable, "-m", "auth.keys", *arguments, "--dir", str(self._data.keys)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def caller(self) -> Caller:
        """Return a caller with the user's token."""
        return Caller(self.stack.url, self.token)

    def make(self, path: str, body: dict[str, Any]) -> int:
        """Make something, and return its id."""
        caller = self.caller()
        answer = caller.ask("POST", path, body)
        caller.close()
        if not answer.is_success:
            message = f"POST {path} answered {answer.status}: {answer.document}"
            raise BrokenError(message)
        return int(answer.document["id"])

    def query(self, database: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement as the superuser, and return its rows."""
        with closing(self.connect(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def connect(self, database: str) -> Connection:
        """Open a connection to a service's database, as the superuser."""
        return psycopg2.connect(self.stack.postgres.url(database))

    def seed(self, count: int, *, bought: bool) -> list[int]:
        """Make clients past the services, with an entry in the inventory if they ``bought``."""
        rows = self.query(
            "clients",
            "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
            " SELECT 'live', 'Semente', u || '@example.invalid', u || '@example.invalid',"
            " left(u, 14), 0 FROM (SELECT replace(gen_random_uuid()::text, '-', '') AS u"
            " FROM generate_series(1, %s)) AS made RETURNING id",
            count,
        )
        ids = [int(row[0]) for row in rows]
        if bought:
            self.query(
                "inventory",
                "INSERT INTO inventory_items (realm, client_id, product_id, product_name,"
                " number_of_items, purchase_date)"
                " SELECT 'live', c, %s, 'Caos', 1, now() FROM unnest(%s::bigint[]) AS c",
                self.product_id,
                ids,
            )
        return ids

    def orphans(self) -> set[int]:
        """Return the entries of the inventory that belong to nobody, or to no product."""
        wrong: set[int] = set()
        for database, column in POOLS.items():
            ids = [row[0] for row in self.query(database, f"SELECT id FROM {database}")]
            entries = self.query(
                "inventory",
                f"SELECT id FROM inventory_items WHERE {column} <> ALL (%s::bigint[])",
                ids,
            )
            wrong.update(row[0] for row in entries)
        return wrong

    def swept(self) -> float:
        """Wait until the orphans of this moment are gone, and return the seconds that it took."""
        left = self.orphans()
        return self.wait_until(lambda: left.isdisjoint(self.orphans()))

    def final(self) -> Final:
        """Read what is there in the end: over HTTP page by page, but for what only SQL can tell."""
        found: Counter[tuple[str, str]] = Counter()
        caller = self.caller()
        clients = {row["id"]: row for row in _pages(caller, "/clients/fetch")}
        for row in _pages(caller, "/address/fetch"):
            found["address", row["street"]] += 1
        homes = {row[0] for row in self.query("inventory", "SELECT client_id FROM inventory_items")}
        for home in homes:
            for row in _pages(caller, f"/inventory/list_products_ids/{home}"):
                found["purchase", f"{home}:{row['purchase_date']}"] += 1
        for client_id, row in clients.items():
            found["edit", f"{client_id}:{row['name']}"] += 1
        caller.close()
        highest = self.query("clients", "SELECT coalesce(max(id), 0) FROM clients")[0][0]
        gone = {"deletion": set(range(1, self.top(highest) + 1)) - clients.keys()}
        found.update(("deletion", str(client_id)) for client_id in gone["deletion"])
        sums = {str(self.counter_id): int(float(clients[self.counter_id]["balance"]))}
        return Final(found, sums, len(self.orphans()))

    def top(self, highest: int) -> int:
        """Return the greatest id that a client may have had."""
        statement = "SELECT last_value FROM clients_id_seq"
        return max(highest, int(self.query("clients", statement)[0][0]))

    @contextmanager
    def load(self, book: Path) -> Iterator[None]:
        """Run the steady load for a while, with a counter of its own."""
        self.counter_id = self.make("/clients/create", a_client())
        process = self.begin("steady", book)
        try:
            yield
        finally:
            process.terminate()
            self.wait_until(lambda: process.poll() is not None)
            process.kill()
        if process.wait():
            message = "a caller of the steady load crashed"
            raise BrokenError(message)

    def work(self, name: str, book: Path, **task: object) -> None:
        """Run a workload to its end."""
        process = self.begin(name, book, **task)
        try:
            self.wait_until(lambda: process.poll() is not None, 600)
        finally:
            process.kill()
        if process.wait():
            message = f"the workload {name} ended with {process.returncode}"
            raise BrokenError(message)

    def begin(self, name: str, book: Path, **task: object) -> "subprocess.Popen[bytes]":
        """Start a workload."""
        path = self.folder / f"{name}-{secrets.token_hex(4)}.json"
        told = {
            "url": self.stack.url,
            "token": self.token,
            "book": str(book),
            "product_id": self.product_id,
            "user": self.user,
            "bases": list(self.stack.bases.values()),
            "counter_id": self.counter_id,
        }
        path.write_text(json.dumps({**told, **task}))
        return subprocess.Popen(
            [sys.executable, "-m", "scripts.chaos.workloads", name, str(path)],
            cwd=ROOT,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here
        )


def kill(processes: Collection[psutil.Process], number: int = signal.SIGKILL) -> None:
    """Send a signal to processes; those that are gone are gone."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _is_green(base: str, path: str) -> bool:
    caller = Caller(base, timeout=2)
    answer = caller.ask("GET", path)
    caller.close()
    return answer.is_success


def _pages(caller: Caller, path: str) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        answer = caller.ask("GET", f"{path}?limit=1000&after={after}")
        if not answer.is_success:
            message = f"the final read of {path} answered {answer.status}"
            raise BrokenError(message)
        rows: Sequence[dict[str, Any]] = answer.document
        yield from rows
        if not rows or "link" not in answer.headers:
            return
        after = rows[-1]["id"]
