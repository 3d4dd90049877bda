"""Direct access to the databases of a system, to seed rows and to read the final state."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with this name

from tests.chaos.history import FinalState
from tests.support.http_caller import HttpCaller
from tests.support.steps import StepFailed

OWNERS = {"clients": "SELECT id FROM clients", "products": "SELECT id FROM products"}


INSERT_DELAY_SECONDS = 0.05  # longer than a relay takes to deliver a deletion
_DELAY_INSERTS = f"""
    CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_sleep({INSERT_DELAY_SECONDS}) WHERE random() < 0.5;
            RETURN NEW;
        END
    $$;
    CREATE TRIGGER stall BEFORE INSERT ON inventory_items FOR EACH ROW EXECUTE FUNCTION stall();
"""


@dataclass(frozen=True)
class Orphan:
    """An inventory entry of a deleted client or product."""

    entry: int
    owner: str
    subject: int


class DatabaseInspector:
    """The databases of one system, read and written as the superuser."""

    def __init__(self, url: Callable[[str], str]) -> None:
        """Connect to each database at ``url(name)``, when it is used."""
        self._url = url

    def connect(self, database: str) -> Connection:
        """Open a connection to a service's database."""
        return psycopg2.connect(self._url(database))

    def query(self, database: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        with closing(self.connect(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def seed_clients(self, count: int) -> list[int]:
        """Insert clients, and return their identifiers."""
        rows = self.query(
            "clients",
            "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
            " SELECT 'live', 'Semente', u || '@example.invalid', u || '@example.invalid',"
            " left(u, 14), 0 FROM (SELECT replace(gen_random_uuid()::text, '-', '') AS u"
            " FROM generate_series(1, %s)) AS made RETURNING id",
            count,
        )
        return [int(row[0]) for row in rows]

    def seed_purchases(self, clients: list[int], product_id: int) -> None:
        """Insert an inventory entry for each client."""
        self.query(
            "inventory",
            "INSERT INTO inventory_items (realm, client_id, product_id, product_name,"
            " number_of_items, purchase_date)"
            " SELECT 'live', c, %s, 'Caos', 1, now() FROM unnest(%s::bigint[]) AS c",
            product_id,
            clients,
        )

    @contextmanager
    def delayed_inserts(self) -> Iterator[None]:
        """Delay every second insert into the inventory, on average, within its transaction.

        A removal may only slip in between an addition's check for tombstones and its commit. That
        window is under a millisecond, so thousands of additions might miss it by chance.
        """
        self.query("inventory", _DELAY_INSERTS)
        try:
            yield
        finally:
            self.query("inventory", "DROP FUNCTION stall CASCADE")

    def orphans(self) -> set[Orphan]:
        """Return the inventory entries of deleted clients and products.

        Entries are read before their owners, because the owner of an entry exists before it.
        """
        entries = self.query("inventory", "SELECT id, client_id, product_id FROM inventory_items")
        return {
            Orphan(row[0], owner, row[column])
            for column, (owner, statement) in enumerate(OWNERS.items(), start=1)
            for existing in [self._column(owner, statement)]
            for row in entries
            if row[column] not in existing
        }

    def permanent_orphans(self) -> set[int]:
        """Return the orphans without a message in an outbox: nothing will remove them.

        A message is deleted after its delivery, so an orphan without a message stays.
        """
        suspects = self.orphans()
        pending = {owner: self._column(owner, "SELECT subject_id FROM outbox") for owner in OWNERS}
        lost = [each.entry for each in suspects if each.subject not in pending[each.owner]]
        left = "SELECT id FROM inventory_items WHERE id = ANY (%s::bigint[])"
        return self._column("inventory", left, lost) if lost else set()

    def sessions(self) -> dict[str, int]:
        """Return the number of database sessions by application name."""
        rows = self.query(
            "postgres",
            "SELECT application_name, count(*) FROM pg_stat_activity"
            " WHERE application_name <> '' AND usename <> 'postgres' GROUP BY 1",
        )
        return {str(name): int(count) for name, count in rows}

    def busy_sessions(self) -> list[str]:
        """Return the application names of sessions that have not been idle for a second."""
        rows = self.query(
            "postgres",
            "SELECT application_name FROM pg_stat_activity"
            " WHERE application_name <> '' AND usename <> 'postgres' AND state <> 'idle'"
            " AND state_change < now() - interval '1 second'",
        )
        return [str(name) for (name,) in rows]

    def final_state(self, caller: HttpCaller, counter_id: int) -> FinalState:
        """Return the final state, over HTTP where the API shows it, and else with SQL.

        Raises:
            StepFailed: a page was not returned.

        """
        found: Counter[tuple[str, str]] = Counter()
        clients = {row["id"]: row for row in _pages(caller, "/clients/fetch")}
        for row in _pages(caller, "/address/fetch"):
            found["address", row["street"]] += 1
        for owner in self._column("inventory", "SELECT client_id FROM inventory_items"):
            for row in _pages(caller, f"/inventory/list_products_ids/{owner}"):
                found["purchase", f"{owner}:{row['purchase_date']}"] += 1
        for client_id, row in clients.items():
            found["client", row["email"]] += 1
            found["edit", f"{client_id}:{row['name']}"] += 1
        deleted = set(range(1, self._max_client_id() + 1)) - clients.keys()
        found.update(("deletion", str(client_id)) for client_id in deleted)
        sums = {str(counter_id): int(float(clients[counter_id]["balance"]))}
        return FinalState(found, sums, len(self.permanent_orphans()))

    def _max_client_id(self) -> int:
        """Return the greatest identifier that the sequence of clients has issued."""
        return max(self._column("clients", "SELECT last_value FROM clients_id_seq"))

    def _column(self, database: str, statement: str, *values: object) -> set[int]:
        return {int(row[0]) for row in self.query(database, statement, *values)}


def _pages(caller: HttpCaller, path: str) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        response = caller.request("GET", f"{path}?limit=1000&after={after}")
        if not response.is_success:
            raise StepFailed(f"the final read of {path} answered {response.status}")
        rows: Sequence[dict[str, Any]] = response.document
        yield from rows
        if not rows or "link" not in response.headers:
            return
        after = rows[-1]["id"]
