"""Tests of the search for orphans in the databases of `make chaos`."""

from collections.abc import Callable

import pytest

from servicekit.db import migrate
from tests.chaos.database_inspector import DatabaseInspector, Orphan

PRODUCT = 1


@pytest.fixture
def database(postgres_url_factory: Callable[[], str]) -> DatabaseInspector:
    """The migrated databases of a system with one product."""
    urls = {name: postgres_url_factory() for name in ("clients", "products", "inventory")}
    for name, url in urls.items():
        migrate.upgrade(url, migrate.configuration(name))
    database = DatabaseInspector(urls.__getitem__)
    database.query(
        "products",
        "INSERT INTO products (realm, name, description, quantity, price, status)"
        " VALUES ('live', 'Teclado', '-', 1, 1, true)",
    )
    return database


def sell(database: DatabaseInspector) -> int:
    """Return a client with a purchase of the product."""
    (client_id,) = database.seed_clients(1)
    database.seed_purchases([client_id], PRODUCT)
    return client_id


def delete(database: DatabaseInspector, client_id: int, *, delivered: bool) -> None:
    """Delete a client; its message is in the outbox unless it was ``delivered``."""
    database.query("clients", "DELETE FROM clients WHERE id = %s", client_id)
    if not delivered:
        message = "INSERT INTO outbox (kind, subject_id) VALUES ('client', %s)"
        database.query("clients", message, client_id)


def test_an_entry_with_existing_owners_is_no_orphan(database: DatabaseInspector) -> None:
    sell(database)
    assert database.orphans() == set()
    assert database.permanent_orphans() == set()


def test_an_orphan_with_a_pending_message_is_not_permanent(database: DatabaseInspector) -> None:
    client_id = sell(database)
    delete(database, client_id, delivered=False)
    assert database.orphans() == {Orphan(1, "clients", client_id)}
    assert database.permanent_orphans() == set()


def test_an_orphan_without_a_message_is_permanent(database: DatabaseInspector) -> None:
    for delivered in (False, True, False):
        delete(database, sell(database), delivered=delivered)
    assert len(database.orphans()) == 3
    assert database.permanent_orphans() == {2}


def test_an_entry_of_a_deleted_product_is_an_orphan(database: DatabaseInspector) -> None:
    sell(database)
    database.query("products", "DELETE FROM products")
    assert database.orphans() == {Orphan(1, "products", PRODUCT)}
    assert database.permanent_orphans() == {1}
