"""Every query on the inventory.

An addition and the removal of what its owner has deleted must not pass each other unseen: the
addition would leave an entry that nobody removes any more. Both therefore take an advisory lock
on the client and on the product, the addition a shared one, and look at the list of the gone
only in the statement after: at READ COMMITTED its snapshot is newer than the lock. The two of an
addition are sent in one message, which is one transaction and one round trip (PostgreSQL's
documentation, "Multiple Statements in a Simple Query").
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Row,
    bindparam,
    column,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from inventory.domain import Item, Kind, raise_missing
from inventory.tables import GONE, ITEMS, RECONCILIATION
from servicekit.db.crud import SYNTHETIC_TTL, TableRepository, as_dict
from servicekit.db.database import Database
from servicekit.realm import Realm
from servicekit.telemetry.shared_metrics import Sample

BATCH = 5_000  # entries that one statement removes: well within its time
GONE_KEPT = "1 day"  # far longer than any addition is under way

_LOCKS: dict[Kind, int] = {"client": 1, "product": 2}
_COLUMNS: dict[Kind, ColumnElement[int]] = {
    "client": ITEMS.c.client_id,
    "product": ITEMS.c.product_id,
}

_items = TableRepository(ITEMS, "entry", Item.STORED)
_add = text(
    """
    SELECT pg_advisory_xact_lock_shared(:client_space, :client_key),
           pg_advisory_xact_lock_shared(:product_space, :product_key);
    WITH those_gone AS (
        SELECT kind FROM gone
        WHERE (kind, subject_id) IN (('client', :client_id), ('product', :product_id))
    ), added AS (
        INSERT INTO inventory_items
            (realm, client_id, product_id, product_name, number_of_items, purchase_date, expires_at)
        SELECT :realm, :client_id, :product_id, :product_name, :number_of_items, :purchase_date,
            CASE WHEN :realm = 'synthetic' THEN now() + CAST(:life AS interval) END
        WHERE NOT EXISTS (SELECT FROM those_gone)
        RETURNING id
    )
    SELECT (SELECT id FROM added) AS id, ARRAY(SELECT kind FROM those_gone) AS gone
    """
).columns(column("id"), column("gone"))  # else each answer is looked through for its columns
_exclude = text("SELECT pg_advisory_xact_lock(:space, :subject)")
_bury = insert(GONE).on_conflict_do_nothing()


def _removal(*conditions: ColumnElement[bool]) -> Delete:
    """Return a DELETE of one batch that locks in the order of ids, so that no two can deadlock."""
    batch = select(ITEMS.c.id).where(*conditions).order_by(ITEMS.c.id).limit(bindparam("_batch"))
    return delete(ITEMS).where(ITEMS.c.id.in_(batch.with_for_update()))


_in_realm = ITEMS.c.realm == bindparam("_realm")
_remove = {k: _removal(column == bindparam("_subject")) for k, column in _COLUMNS.items()}
_remove_in_realm = {
    k: _removal(column == bindparam("_subject"), _in_realm) for k, column in _COLUMNS.items()
}
_remove_expired = _removal(ITEMS.c.realm == "synthetic", ITEMS.c.expires_at < func.now())
_live = ITEMS.c.realm == "live"
_subjects = {
    k: select(column)
    .distinct()
    .where(column > bindparam("_after"), _live)
    .order_by(column)
    .limit(bindparam("_batch"))
    for k, column in _COLUMNS.items()
}
_count = {
    k: select(func.count()).where(column == func.any(bindparam("_subjects")), _live)
    for k, column in _COLUMNS.items()
}
_found = insert(RECONCILIATION).values(id=1, ended_at=func.now())
_keep = _found.on_conflict_do_update(
    index_elements=["id"],
    set_={name: _found.excluded[name] for name in ("ended_at", "orphan_rows", "removed_rows")},
)
_last = select(RECONCILIATION)
_forget = text(
    "DELETE FROM gone WHERE (kind, subject_id) IN (SELECT kind, subject_id FROM gone"
    " WHERE since < now() - CAST(:kept AS interval) LIMIT :batch FOR UPDATE SKIP LOCKED)"
)


def add_item(connection: Connection, realm: Realm, item: Item, product_name: str) -> int:
    """Add an entry and return its id.

    Raises:
        NotFound: the client or the product was deleted after its owner was asked.

    """
    values = {
        "client_space": _LOCKS["client"],
        "client_key": _folded(item.client_id),
        "product_space": _LOCKS["product"],
        "product_key": _folded(item.product_id),
        "realm": realm,
        "product_name": product_name,
        "life": SYNTHETIC_TTL,
    }
    added = connection.execute(_add, {**values, **as_dict(item)}).one()
    raise_missing(added.gone)
    return int(added.id)


def list_items(
    connection: Connection, realm: Realm, client_id: int, limit: int, after: int
) -> Sequence[Row[Any]]:
    """Return a page of a client's entries, and one more when there is more."""
    return _items.page(connection, realm, limit, after, client_id=client_id)


def remove_item(connection: Connection, realm: Realm, item_id: int) -> None:
    """Remove an entry; raises ``NotFound``."""
    _items.delete(connection, realm, item_id)


def remove_of(connection: Connection, realm: Realm, kind: Kind, subject_id: int) -> bool:
    """Remove a batch of the entries of a client or product; tell whether there may be more."""
    values = {"_subject": subject_id, "_realm": realm, "_batch": BATCH}
    return connection.execute(_remove_in_realm[kind], values).rowcount == BATCH


def bury(connection: Connection, kind: Kind, subject_id: int) -> int:
    """Put what was deleted on the list of the gone, and remove a batch of its entries.

    Return how many were removed; with ``BATCH`` there may be more. An id is one owner's alone,
    whatever the realm.
    """
    lock = {"space": _LOCKS[kind], "subject": _folded(subject_id)}
    connection.execute(_exclude, lock)
    connection.execute(_bury, {"kind": kind, "subject_id": subject_id})
    return connection.execute(_remove[kind], {"_subject": subject_id, "_batch": BATCH}).rowcount


def remove_expired(connection: Connection, batch: int) -> int:
    """Remove entries that monitors left behind, at most a batch, and return how many."""
    return connection.execute(_remove_expired, {"_batch": batch}).rowcount


def forget_gone(connection: Connection, batch: int) -> int:
    """Take off the list of the gone what has been there long enough; return how many."""
    return connection.execute(_forget, {"batch": batch, "kept": GONE_KEPT}).rowcount


def live_subjects(connection: Connection, kind: Kind, after: int, batch: int) -> list[int]:
    """Return the next ids of clients or products, above ``after``, that have live entries."""
    return list(connection.scalars(_subjects[kind], {"_after": after, "_batch": batch}))


def count_entries(connection: Connection, kind: Kind, subjects: list[int]) -> int:
    """Return how many live entries these clients or products have."""
    return int(connection.scalar(_count[kind], {"_subjects": subjects}) or 0)


def keep_reconciliation(connection: Connection, orphan_rows: int, removed_rows: int) -> None:
    """Remember what a whole comparison with the owners found and did, in place of the last one."""
    values = {"orphan_rows": orphan_rows, "removed_rows": removed_rows}
    connection.execute(_keep, values)


def metrics(database: Database) -> Iterator[Sample]:
    """Yield what the last whole comparison with the owners found; nothing before the first."""
    with database.autocommit() as connection:
        found = connection.execute(_last).one_or_none()
    if found is None:
        return
    about = "Entries without client or product found by the last reconciliation."
    yield Sample("cadastro_inventory_orphan_rows", about, found.orphan_rows)
    yield Sample(
        "cadastro_inventory_orphan_rows_removed",
        "Orphan rows that the last reconciliation removed.",
        found.removed_rows,
    )
    about = "End of the last completed reconciliation."
    yield Sample(
        "cadastro_inventory_last_reconciliation_timestamp_seconds",
        about,
        found.ended_at.timestamp(),
    )


def _folded(identifier: int) -> int:
    """Return an id as PostgreSQL's 32-bit lock key; two ids that share one only wait in vain."""
    return (identifier + 2**31) % 2**32 - 2**31
