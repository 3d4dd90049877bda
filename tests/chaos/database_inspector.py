"""What the databases of a system hold: read past the services, as the judge, and seeded so."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, named so there

from tests.chaos.caller import Caller
from tests.chaos.history import BrokenError, Final

OWNERS = {"clients": "SELECT id FROM clients", "products": "SELECT id FROM products"}


STALLED = 0.05  # seconds; longer than a relay takes to bring the word of a deletion
_STALL = f"""
    CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_sleep({STALLED}) WHERE random() < 0.5;
            RETURN NEW;
        END
    $$;
    CREATE TRIGGER stall BEFORE INSERT ON inventory_items FOR EACH ROW EXECUTE FUNCTION stall();
"""


@dataclass(frozen=True)
class Orphan:
    """An entry of the inventory whose owner's row is gone."""

    entry: int
    owner: str
    subject: int


class Records:
    """The rows of one system, as the superuser sees them."""

    def __init__(self, url: Callable[[str], str]) -> None:
        """Reach each database at ``url(name)``; nothing connects yet."""
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
        """Make clients past the service, and return their ids."""
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
        """Put a product into the inventory of each client, past the service."""
        self.query(
            "inventory",
            "INSERT INTO inventory_items (realm, client_id, product_id, product_name,"
            " number_of_items, purchase_date)"
            " SELECT 'live', c, %s, 'Caos', 1, now() FROM unnest(%s::bigint[]) AS c",
            product_id,
            clients,
        )

    @contextmanager
    def slow_additions(self) -> Iterator[None]:
        """Let every other addition take longer after its look at the list of the gone.

        The time between that look and the end of the transaction is what a removal might slip
        into. It is well under a millisecond, so thousands of additions may miss it by chance.
        """
        self.query("inventory", _STALL)
        try:
            yield
        finally:
            self.query("inventory", "DROP FUNCTION stall CASCADE")

    def orphans(self) -> set[Orphan]:
        """Return the entries of the inventory whose client or product is gone.

        The entries are read before their owners: whatever is there then, its owner was before.
        """
        entries = self.query("inventory", "SELECT id, client_id, product_id FROM inventory_items")
        return {
            Orphan(row[0], owner, row[place])
            for place, (owner, ids) in enumerate(OWNERS.items(), start=1)
            for known in [self._column(owner, ids)]
            for row in entries
            if row[place] not in known
        }

    def stranded(self) -> set[int]:
        """Return the orphans that no message in an outbox tells of: nobody will come for them.

        A message is deleted after the call about it was answered, so an entry that is there after
        its message is gone stays for ever.
        """
        suspects = self.orphans()
        told = {owner: self._column(owner, "SELECT subject_id FROM outbox") for owner in OWNERS}
        lost = [each.entry for each in suspects if each.subject not in told[each.owner]]
        left = "SELECT id FROM inventory_items WHERE id = ANY (%s::bigint[])"
        return self._column("inventory", left, lost) if lost else set()

    def sessions(self) -> dict[str, int]:
        """Return how many sessions each part of the system has, by its name."""
        rows = self.query(
            "postgres",
            "SELECT application_name, count(*) FROM pg_stat_activity"
            " WHERE application_name <> '' AND usename <> 'postgres' GROUP BY 1",
        )
        return {str(name): int(count) for name, count in rows}

    def busy(self) -> list[str]:
        """Return the parts of the system that have been in a statement or transaction for long."""
        rows = self.query(
            "postgres",
            "SELECT application_name FROM pg_stat_activity"
            " WHERE application_name <> '' AND usename <> 'postgres' AND state <> 'idle'"
            " AND state_change < now() - interval '1 second'",
        )
        return [str(name) for (name,) in rows]

    def final(self, caller: Caller, counter_id: int) -> Final:
        """Read what is there in the end: over HTTP page by page, but for what only SQL can tell.

        Raises:
            BrokenError: a page was refused.

        """
        found: Counter[tuple[str, str]] = Counter()
        clients = {row["id"]: row for row in _pages(caller, "/clients/fetch")}
        for row in _pages(caller, "/address/fetch"):
            found["address", row["street"]] += 1
        for home in self._column("inventory", "SELECT client_id FROM inventory_items"):
            for row in _pages(caller, f"/inventory/list_products_ids/{home}"):
                found["purchase", f"{home}:{row['purchase_date']}"] += 1
        for client_id, row in clients.items():
            found["client", row["email"]] += 1
            found["edit", f"{client_id}:{row['name']}"] += 1
        gone = set(range(1, self._highest_client() + 1)) - clients.keys()
        found.update(("deletion", str(client_id)) for client_id in gone)
        sums = {str(counter_id): int(float(clients[counter_id]["balance"]))}
        return Final(found, sums, len(self.stranded()))

    def _highest_client(self) -> int:
        """Return the greatest id that a client may have had."""
        return max(self._column("clients", "SELECT last_value FROM clients_id_seq"))

    def _column(self, database: str, statement: str, *values: object) -> set[int]:
        return {int(row[0]) for row in self.query(database, statement, *values)}


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
