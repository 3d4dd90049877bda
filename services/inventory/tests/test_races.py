"""Concurrent additions and deletions leave no orphan entries.

The tests run all orders of the statements of an addition and a removal on PostgreSQL. Schemes with
known races show that the tests detect orphans.
"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from inventory import repository
from inventory.domain import Item, Kind
from inventory.repository import tombstone
from servicekit.db.database import driver_url
from servicekit.problems import NotFound
from servicekit.testing import ContractClient
from tests.support.inventory.fake_owners import FakeOwner
from tests.support.inventory.interleaving import (
    SteppedTransaction,
    Work,
    interleavings,
    run_interleaved,
)
from tests.support.inventory.purchases import purchase_body

PAIRS = 300
KINDS: tuple[Kind, ...] = ("client", "product")

_ids = itertools.count(10**6)

_INSERT = """
    INSERT INTO inventory_items
        (realm, client_id, product_id, product_name, number_of_items, purchase_date)
    SELECT 'live', :id, 1, 'x', 1, now()
"""
_INSERT_TOMBSTONE = (
    "INSERT INTO gone (kind, subject_id) VALUES ('client', :id) ON CONFLICT DO NOTHING"
)
_HAS_TOMBSTONE = "SELECT count(*) FROM gone WHERE kind = 'client' AND subject_id = :id"
_DELETE = "DELETE FROM inventory_items WHERE client_id = :id"
_COUNT_ENTRIES = "SELECT count(*) FROM inventory_items WHERE client_id = :id OR product_id = :id"
_REFERENCES = """
    CREATE TABLE known_clients (id bigint PRIMARY KEY, gone boolean NOT NULL DEFAULT false);
    CREATE TABLE referring_items (client_id bigint NOT NULL REFERENCES known_clients)
"""


def new_item(kind: Kind, subject: int) -> Item:
    """Return an entry of a client or a product."""
    ids = {"client_id": 1, "product_id": 1, f"{kind}_id": subject}
    return Item(**ids, number_of_items=1, purchase_date=datetime.now(UTC))


@dataclass(frozen=True)
class Scheme:
    """An addition and a removal for one id; ``count`` is the query for orphans."""

    add: Callable[[Connection, int], object]
    remove: Callable[[Connection, int], object]
    isolation: str = "READ COMMITTED"
    count: str = _COUNT_ENTRIES

    def transactions(self, subject: int) -> tuple[Work, Work]:
        """Return both transactions for one id."""
        return (lambda c: self.add(c, subject)), (lambda c: self.remove(c, subject))


def run(connection: Connection, statement: str, subject: int) -> int:
    """Execute a statement about a subject, and return its value if it returns a row."""
    result = connection.execute(text(statement), {"id": subject})
    return int(result.scalar_one()) if result.returns_rows else 0


def service_scheme(kind: Kind) -> Scheme:
    """Return the scheme of the service."""
    return Scheme(
        add=lambda c, subject: repository.add_item(c, "live", new_item(kind, subject), "x"),
        remove=lambda c, subject: repository.tombstone(c, kind, subject),
    )


def naive_add(connection: Connection, subject: int) -> None:
    """Check for a tombstone without a lock, and add."""
    if run(connection, _HAS_TOMBSTONE, subject):
        raise NotFound
    run(connection, _INSERT, subject)


def naive_remove(connection: Connection, subject: int) -> None:
    """Insert a tombstone without a lock, and delete."""
    run(connection, _INSERT_TOMBSTONE, subject)
    run(connection, _DELETE, subject)


def referring_add(connection: Connection, subject: int) -> None:
    """Read the referenced row, and add a referring one, with the weak lock of a foreign key."""
    if run(connection, "SELECT gone::int FROM known_clients WHERE id = :id", subject):
        raise NotFound
    run(connection, "INSERT INTO referring_items VALUES (:id)", subject)


def referred_remove(connection: Connection, subject: int) -> None:
    """Mark the referenced row, and delete the referring ones."""
    run(connection, "UPDATE known_clients SET gone = true WHERE id = :id", subject)
    run(connection, "DELETE FROM referring_items WHERE client_id = :id", subject)


def sharing_add(connection: Connection, subject: int) -> None:
    """Lock the referenced row in share mode, and add."""
    if run(connection, "SELECT gone::int FROM known_clients WHERE id = :id FOR SHARE", subject):
        raise NotFound
    run(connection, "INSERT INTO referring_items VALUES (:id)", subject)


def one_statement_remove(connection: Connection, subject: int) -> None:
    """Mark and delete in one statement, with a snapshot from before the wait for the lock."""
    run(
        connection,
        "WITH marked AS (UPDATE known_clients SET gone = true WHERE id = :id RETURNING id)"
        " DELETE FROM referring_items WHERE client_id IN (SELECT id FROM marked)",
        subject,
    )


_COUNT_REFERRING = "SELECT count(*) FROM referring_items WHERE client_id = :id"
RACY_SCHEMES = {
    "a list without a lock": Scheme(naive_add, naive_remove),
    "a foreign key and an update": Scheme(referring_add, referred_remove, count=_COUNT_REFERRING),
    "one statement that marks and deletes": Scheme(
        sharing_add, one_statement_remove, count=_COUNT_REFERRING
    ),
    "the service's locks at REPEATABLE READ": Scheme(
        service_scheme("client").add, service_scheme("client").remove, isolation="REPEATABLE READ"
    ),
}


@pytest.fixture(scope="module")
def engine(migrated_url_factory: Callable[[str], str]) -> Iterator[Engine]:
    """A database of the inventory, with the tables of the racy schemes."""
    url = migrated_url_factory("inventory")
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text(_REFERENCES))
    yield engine
    engine.dispose()


def count_orphans(engine: Engine, scheme: Scheme) -> int:
    """Run a scheme in all orders, and return the number of orphans."""
    isolated = engine.execution_options(isolation_level=scheme.isolation)
    count = 0
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as monitor:
        for order in interleavings(4, 4):  # three statements at most, and the end
            subject = next(_ids)
            run(monitor, "INSERT INTO known_clients VALUES (:id)", subject)
            add, remove = scheme.transactions(subject)
            run_interleaved(
                (
                    SteppedTransaction(isolated, monitor, add),
                    SteppedTransaction(isolated, monitor, remove),
                ),
                order,
            )
            count += run(monitor, scheme.count, subject)
    return count


@pytest.mark.parametrize("kind", KINDS)
def test_no_order_of_an_addition_and_a_removal_leaves_orphans(engine: Engine, kind: Kind) -> None:
    assert count_orphans(engine, service_scheme(kind)) == 0


@pytest.mark.parametrize("scheme", RACY_SCHEMES)
def test_racy_schemes_leave_orphans(engine: Engine, scheme: str) -> None:
    assert count_orphans(engine, RACY_SCHEMES[scheme]) > 0


def test_an_earlier_addition_is_removed_and_a_later_one_is_rejected(
    engine: Engine,
) -> None:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as monitor:
        for order, is_rejected in (((0,) * 4 + (1,) * 4, False), ((1,) * 4 + (0,) * 4, True)):
            add, remove = service_scheme("client").transactions(next(_ids))
            sessions = (
                SteppedTransaction(engine, monitor, add),
                SteppedTransaction(engine, monitor, remove),
            )
            added, removed = run_interleaved(sessions, order)
            assert isinstance(added, NotFound) == is_rejected
            assert removed == (0 if is_rejected else 1)


def test_two_removals_of_the_same_entries_do_not_deadlock(engine: Engine) -> None:
    client, product = next(_ids), next(_ids)
    fill = text(
        "INSERT INTO inventory_items (realm, client_id, product_id, product_name,"
        " number_of_items, purchase_date)"
        " SELECT 'live', :client, :product, 'x', 1, now() FROM generate_series(1, 50)"
    )
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as monitor:
        for order in interleavings(4, 4):
            monitor.execute(fill, {"client": client, "product": product})
            sessions = (
                SteppedTransaction(engine, monitor, lambda c: tombstone(c, "client", client)),
                SteppedTransaction(engine, monitor, lambda c: tombstone(c, "product", product)),
            )
            removed = run_interleaved(sessions, order)
            assert sorted(map(str, removed)) == ["0", "50"]


@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_additions_and_deletions_over_http_leave_no_orphans(
    api: ContractClient, relay: ContractClient, clients: FakeOwner, products: FakeOwner, kind: str
) -> None:
    """The existence checks succeed, as just before a deletion."""
    outcomes = set()
    barrier = Barrier(2)

    def add(body: dict[str, object]) -> int:
        barrier.wait()
        return api.post("/inventory/add_product", json=body).status_code

    def remove(body: dict[str, object]) -> int:
        barrier.wait()
        return relay.request("DELETE", "/inventory/remove_many", json=body).status_code

    with ThreadPoolExecutor(2) as pool:
        for _ in range(PAIRS // 2):
            client_id, product_id = clients.create(), products.create()
            subject = client_id if kind == "client" else product_id
            adding = pool.submit(add, purchase_body(client_id, product_id))
            removing = pool.submit(remove, {"remotion_id": subject, "type": kind})
            outcomes.add(adding.result())
            assert removing.result() == 200
            assert api.get(f"/inventory/list_products_ids/{client_id}").json() == []
    assert outcomes <= {201, 404}
