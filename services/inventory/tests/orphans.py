"""Entries as a restored backup leaves them, and the command that compares them with the owners."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from neighbours import Owner

NOW = ("--grace", "0")

Entry = tuple[int, int]  # the ids of a client and of a product


@dataclass(frozen=True)
class Run:
    """How one run of the command went."""

    code: int
    report: dict[str, Any]
    told: str


Command = Callable[..., Run]


@dataclass(frozen=True)
class Entries:
    """A database's entries, and the owners of what they name."""

    engine: Engine
    clients: Owner
    products: Owner

    def there(self, *, times: int = 1, realm: str = "live") -> Entry:
        """Make a client who bought a product, so often."""
        entry = (self.clients.make(realm=realm), self.products.make(realm=realm))
        self.bought(*entry, times=times, realm=realm)
        return entry

    def orphan(self, kind: str = "client", *, times: int = 1) -> Entry:
        """Make the same, and then delete the client or the product: its owner tells nobody."""
        entry = self.there(times=times)
        self.owner_forgets(kind, entry)
        return entry

    def owner_forgets(self, kind: str, entry: Entry) -> int:
        """Delete an entry's client or product, and return its id."""
        owner, subject = {
            "client": (self.clients, entry[0]),
            "product": (self.products, entry[1]),
        }[kind]
        owner.delete(subject)
        return subject

    def bought(
        self, client_id: int, product_id: int, *, times: int = 1, realm: str = "live"
    ) -> None:
        """Put entries into the database."""
        statement = text(
            "INSERT INTO inventory_items"
            " (realm, client_id, product_id, product_name, number_of_items, purchase_date)"
            " SELECT :realm, :client, :product, 'Teclado', 1, now() FROM generate_series(1, :times)"
        )
        values = {"realm": realm, "client": client_id, "product": product_id, "times": times}
        with self.engine.begin() as connection:
            connection.execute(statement, values)

    def left(self) -> list[Entry]:
        """Return the client and the product of every entry."""
        statement = text("SELECT client_id, product_id FROM inventory_items ORDER BY id")
        with self.engine.begin() as connection:
            return [(row.client_id, row.product_id) for row in connection.execute(statement)]

    def gone(self) -> list[tuple[str, int]]:
        """Return the list of the gone."""
        with self.engine.begin() as connection:
            rows = connection.execute(text("SELECT kind, subject_id FROM gone"))
            return [(row.kind, row.subject_id) for row in rows]
