"""Additions against deletions: whatever the order, nothing of what is gone is left behind.

Every order of the statements of an addition and a removal is played through on PostgreSQL. Some
schemes that look as good are known to lose; they are here to show that the test would tell.
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
_BURY = "INSERT INTO gone (kind, subject_id) VALUES ('client', :id) ON CONFLICT DO NOTHING"
_IS_GONE = "SELECT count(*) FROM gone WHERE kind = 'client' AND subject_id = :id"
_DELETE = "DELETE FROM inventory_items WHERE client_id = :id"
_LEFT = "SELECT count(*) FROM inventory_items WHERE client_id = :id OR product_id = :id"
_REFERENCES = """
    CREATE TABLE known_clients (id bigint PRIMARY KEY, gone boolean NOT NULL DEFAULT false);
    CREATE TABLE referring_items (client_id bigint NOT NULL REFERENCES known_clients)
"""


def an_item(kind: Kind, subject: int) -> Item:
    """Return an entry of a client, or of a product, that is nobody else's."""
    ids = {"client_id": 1, "product_id": 1, f"{kind}_id": subject}
    return Item(**ids, number_of_items=1, purchase_date=datetime.now(UTC))


@dataclass(frozen=True)
class Scheme:
    """How an addition and a removal of one subject are kept apart; ``left`` counts the orphans."""

    add: Callable[[Connection, int], object]
    remove: Callable[[Connection, int], object]
    isolation: str = "READ COMMITTED"
    left: str = _LEFT

    def works(self, subject: int) -> tuple[Work, Work]:
        """Return both sides for one subject."""
        return (lambda c: self.add(c, subject)), (lambda c: self.remove(c, subject))


def run(connection: Connection, statement: str, subject: int) -> int:
    """Execute a statement about a subject, and return its value if it returns a row."""
    result = connection.execute(text(statement), {"id": subject})
    return int(result.scalar_one()) if result.returns_rows else 0


def ours(kind: Kind) -> Scheme:
    """Return the scheme that the service has."""
    return Scheme(
        add=lambda c, subject: repository.add_item(c, "live", an_item(kind, subject), "x"),
        remove=lambda c, subject: repository.bury(c, kind, subject),
    )


def naive_add(connection: Connection, subject: int) -> None:
    """Look the client up on the list of the gone, without a lock, and add."""
    if run(connection, _IS_GONE, subject):
        raise NotFound
    run(connection, _INSERT, subject)


def naive_remove(connection: Connection, subject: int) -> None:
    """Put the client on the list of the gone, without a lock, and delete."""
    run(connection, _BURY, subject)
    run(connection, _DELETE, subject)


def referring_add(connection: Connection, subject: int) -> None:
    """Look at the reference row, and add what refers to it: a foreign key's lock is weak."""
    if run(connection, "SELECT gone::int FROM known_clients WHERE id = :id", subject):
        raise NotFound
    run(connection, "INSERT INTO referring_items VALUES (:id)", subject)


def referred_remove(connection: Connection, subject: int) -> None:
    """Mark the reference row, and delete."""
    run(connection, "UPDATE known_clients SET gone = true WHERE id = :id", subject)
    run(connection, "DELETE FROM referring_items WHERE client_id = :id", subject)


def sharing_add(connection: Connection, subject: int) -> None:
    """Lock the reference row as a reader does, and add."""
    if run(connection, "SELECT gone::int FROM known_clients WHERE id = :id FOR SHARE", subject):
        raise NotFound
    run(connection, "INSERT INTO referring_items VALUES (:id)", subject)


def one_statement_remove(connection: Connection, subject: int) -> None:
    """Mark and delete in one statement, whose snapshot is older than the wait for the lock."""
    run(
        connection,
        "WITH marked AS (UPDATE known_clients SET gone = true WHERE id = :id RETURNING id)"
        " DELETE FROM referring_items WHERE client_id IN (SELECT id FROM marked)",
        subject,
    )


_REFERRING_LEFT = "SELECT count(*) FROM referring_items WHERE client_id = :id"
LOSERS = {
    "a list without a lock": Scheme(naive_add, naive_remove),
    "a foreign key and an update": Scheme(referring_add, referred_remove, left=_REFERRING_LEFT),
    "one statement that marks and deletes": Scheme(
        sharing_add, one_statement_remove, left=_REFERRING_LEFT
    ),
    "our locks at REPEATABLE READ": Scheme(
        ours("client").add, ours("client").remove, isolation="REPEATABLE READ"
    ),
}


@pytest.fixture(scope="module")
def engine(migrated_url_factory: Callable[[str], str]) -> Iterator[Engine]:
    """A database of the inventory, with the tables of other schemes beside."""
    url = migrated_url_factory("inventory")
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text(_REFERENCES))
    yield engine
    engine.dispose()


def orphans(engine: Engine, scheme: Scheme) -> int:
    """Play a scheme through all orders, and return how many entries are left behind."""
    isolated = engine.execution_options(isolation_level=scheme.isolation)
    left = 0
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as monitor:
        for order in interleavings(4, 4):  # three statements at most, and the end
            subject = next(_ids)
            run(monitor, "INSERT INTO known_clients VALUES (:id)", subject)
            add, remove = scheme.works(subject)
            run_interleaved(
                (
                    SteppedTransaction(isolated, monitor, add),
                    SteppedTransaction(isolated, monitor, remove),
                ),
                order,
            )
            left += run(monitor, scheme.left, subject)
    return left


@pytest.mark.parametrize("kind", KINDS)
def test_no_order_of_an_addition_and_a_removal_leaves_anything(engine: Engine, kind: Kind) -> None:
    assert orphans(engine, ours(kind)) == 0


@pytest.mark.parametrize("scheme", LOSERS)
def test_schemes_that_are_known_to_lose_are_caught(engine: Engine, scheme: str) -> None:
    assert orphans(engine, LOSERS[scheme]) > 0


def test_an_addition_that_came_first_is_removed_and_one_that_came_late_is_refused(
    engine: Engine,
) -> None:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as monitor:
        for order, refused in (((0,) * 4 + (1,) * 4, False), ((1,) * 4 + (0,) * 4, True)):
            add, remove = ours("client").works(next(_ids))
            sessions = (
                SteppedTransaction(engine, monitor, add),
                SteppedTransaction(engine, monitor, remove),
            )
            added, removed = run_interleaved(sessions, order)
            assert isinstance(added, NotFound) == refused
            assert removed == (0 if refused else 1)


def test_two_removals_that_share_entries_do_not_block_each_other_for_ever(engine: Engine) -> None:
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
                SteppedTransaction(engine, monitor, lambda c: repository.bury(c, "client", client)),
                SteppedTransaction(
                    engine, monitor, lambda c: repository.bury(c, "product", product)
                ),
            )
            removed = run_interleaved(sessions, order)
            assert sorted(map(str, removed)) == ["0", "50"]


@pytest.mark.parametrize("kind", KINDS)
def test_additions_and_deletions_at_the_same_moment_leave_nothing(
    api: ContractClient, relay: ContractClient, clients: FakeOwner, products: FakeOwner, kind: str
) -> None:
    """The owners answer yes to the end: the addition has asked just before the deletion."""
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
