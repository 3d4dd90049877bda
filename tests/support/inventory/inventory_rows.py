"""Orphaned inventory entries, and runs of the command that removes them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from tests.support.inventory.fake_owners import FakeOwner

NO_GRACE = ("--grace", "0")

Entry = tuple[int, int]  # the ids of a client and of a product


@dataclass(frozen=True)
class CommandResult:
    """The result of one run of the command."""

    code: int
    report: dict[str, Any]
    stderr: str


Command = Callable[..., CommandResult]


@dataclass(frozen=True)
class InventoryRows:
    """The entries of a database, and the owners of their clients and products."""

    engine: Engine
    clients: FakeOwner
    products: FakeOwner

    def add(self, *, times: int = 1, realm: str = "live") -> Entry:
        """Add ``times`` entries of a new client and a new product."""
        entry = (self.clients.create(realm=realm), self.products.create(realm=realm))
        self.insert(*entry, times=times, realm=realm)
        return entry

    def add_orphan(self, kind: str = "client", *, times: int = 1) -> Entry:
        """Add entries, and delete their client or product without a message to the inventory."""
        entry = self.add(times=times)
        self.delete_owned(kind, entry)
        return entry

    def delete_owned(self, kind: str, entry: Entry) -> int:
        """Delete the client or the product of an entry, and return its id."""
        owner, subject = {
            "client": (self.clients, entry[0]),
            "product": (self.products, entry[1]),
        }[kind]
        owner.delete(subject)
        return subject

    def insert(
        self, client_id: int, product_id: int, *, times: int = 1, realm: str = "live"
    ) -> None:
        """Insert entries into the database."""
        statement = text(
            "INSERT INTO inventory_items"
            " (realm, client_id, product_id, product_name, number_of_items, purchase_date)"
            " SELECT :realm, :client, :product, 'Teclado', 1, now() FROM generate_series(1, :times)"
        )
        values = {"realm": realm, "client": client_id, "product": product_id, "times": times}
        with self.engine.begin() as connection:
            connection.execute(statement, values)

    def pairs(self) -> list[Entry]:
        """Return the client and the product of every entry."""
        statement = text("SELECT client_id, product_id FROM inventory_items ORDER BY id")
        with self.engine.begin() as connection:
            return [(row.client_id, row.product_id) for row in connection.execute(statement)]

    def tombstones(self) -> list[tuple[str, int]]:
        """Return all tombstones."""
        with self.engine.begin() as connection:
            rows = connection.execute(text("SELECT kind, subject_id FROM gone"))
            return [(row.kind, row.subject_id) for row in rows]
