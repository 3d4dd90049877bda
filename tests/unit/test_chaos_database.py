"""What the judge of `make chaos` reads from the databases: who is left behind, and for good."""

from collections.abc import Callable

import pytest

from servicekit.db import migrate
from tests.chaos.database_inspector import Orphan, Records

PRODUCT = 1


@pytest.fixture
def records(postgres_url_factory: Callable[[], str]) -> Records:
    """The databases of a system with one product, each as its service has it."""
    urls = {name: postgres_url_factory() for name in ("clients", "products", "inventory")}
    for name, url in urls.items():
        migrate.upgrade(url, migrate.configuration(name))
    records = Records(urls.__getitem__)
    records.query(
        "products",
        "INSERT INTO products (realm, name, description, quantity, price, status)"
        " VALUES ('live', 'Teclado', '-', 1, 1, true)",
    )
    return records


def sell(records: Records) -> int:
    """Return a client who has bought the product."""
    (client_id,) = records.seed_clients(1)
    records.seed_purchases([client_id], PRODUCT)
    return client_id


def delete(records: Records, client_id: int, *, told: bool) -> None:
    """Delete a client; the message about it is still there, or has been ``told`` already."""
    records.query("clients", "DELETE FROM clients WHERE id = %s", client_id)
    if not told:
        message = "INSERT INTO outbox (kind, subject_id) VALUES ('client', %s)"
        records.query("clients", message, client_id)


def test_an_entry_whose_owners_are_there_is_no_orphan(records: Records) -> None:
    sell(records)
    assert records.orphans() == set()
    assert records.stranded() == set()


def test_an_orphan_that_a_message_tells_of_is_not_left_for_good(records: Records) -> None:
    client_id = sell(records)
    delete(records, client_id, told=False)
    assert records.orphans() == {Orphan(1, "clients", client_id)}
    assert records.stranded() == set()


def test_an_orphan_that_nobody_tells_of_is_left_for_good(records: Records) -> None:
    for told in (False, True, False):
        delete(records, sell(records), told=told)
    assert len(records.orphans()) == 3
    assert records.stranded() == {2}


def test_an_entry_of_a_product_that_is_gone_is_an_orphan_too(records: Records) -> None:
    sell(records)
    records.query("products", "DELETE FROM products")
    assert records.orphans() == {Orphan(1, "products", PRODUCT)}
    assert records.stranded() == {1}
