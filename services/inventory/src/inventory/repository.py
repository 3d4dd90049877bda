"""Queries on the inventory.

An addition that runs during the deletion of its client or product must not leave an orphan. Both
transactions take advisory locks on the ids; the lock of an addition is shared. Tombstones are read
in the next statement, since its READ COMMITTED snapshot is newer than the lock. An addition sends
both statements in one message: one transaction and one round trip (PostgreSQL documentation,
"Multiple Statements in a Simple Query").
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
from inventory.tables import ITEMS, RECONCILIATION, TOMBSTONES
from servicekit.db.database import Database
from servicekit.db.table_repository import SYNTHETIC_TTL, TableRepository, as_dict
from servicekit.realm import Realm
from servicekit.telemetry.shared_metrics import Sample

BATCH_SIZE = 5_000  # entries of one DELETE, well within the statement timeout
TOMBSTONE_RETENTION = "1 day"  # far longer than an addition can take

_LOCK_CLASSES: dict[Kind, int] = {"client": 1, "product": 2}
_COLUMNS: dict[Kind, ColumnElement[int]] = {
    "client": ITEMS.c.client_id,
    "product": ITEMS.c.product_id,
}

_items = TableRepository(ITEMS, "entry", Item.COLUMNS)
_add = text(
    """
    SELECT pg_advisory_xact_lock_shared(:client_space, :client_key),
           pg_advisory_xact_lock_shared(:product_space, :product_key);
    WITH tombstones AS (
        SELECT kind FROM gone
        WHERE (kind, subject_id) IN (('client', :client_id), ('product', :product_id))
    ), added AS (
        INSERT INTO inventory_items
            (realm, client_id, product_id, product_name, number_of_items, purchase_date, expires_at)
        SELECT :realm, :client_id, :product_id, :product_name, :number_of_items, :purchase_date,
            CASE WHEN :realm = 'synthetic' THEN now() + CAST(:ttl AS interval) END
        WHERE NOT EXISTS (SELECT FROM tombstones)
        RETURNING id
    )
    SELECT (SELECT id FROM added) AS id, ARRAY(SELECT kind FROM tombstones) AS missing
    """
).columns(column("id"), column("missing"))  # explicit, so that results need no lookup by name
_LOCK_EXCLUSIVE = text("SELECT pg_advisory_xact_lock(:space, :subject)")
_insert_tombstone = insert(TOMBSTONES).on_conflict_do_nothing()


def _removal(*conditions: ColumnElement[bool]) -> Delete:
    """Return a DELETE of one batch that locks rows in the order of ids, against deadlocks."""
    batch = select(ITEMS.c.id).where(*conditions).order_by(ITEMS.c.id).limit(bindparam("_batch"))
    return delete(ITEMS).where(ITEMS.c.id.in_(batch.with_for_update()))


_in_realm = ITEMS.c.realm == bindparam("_realm")
_remove = {k: _removal(column == bindparam("_subject")) for k, column in _COLUMNS.items()}
_remove_in_realm = {
    k: _removal(column == bindparam("_subject"), _in_realm) for k, column in _COLUMNS.items()
}
_delete_expired = _removal(ITEMS.c.realm == "synthetic", ITEMS.c.expires_at < func.now())
_live = ITEMS.c.realm == "live"
_owner_ids = {
    k: select(column)
    .distinct()
    .where(column > bindparam("_after"), _live)
    .order_by(column)
    .limit(bindparam("_batch"))
    for k, column in _COLUMNS.items()
}
_count = {
    k: select(func.count()).where(column == func.any(bindparam("_owner_ids")), _live)
    for k, column in _COLUMNS.items()
}
_report = insert(RECONCILIATION).values(id=1, ended_at=func.now())
_save_report = _report.on_conflict_do_update(
    index_elements=["id"],
    set_={name: _report.excluded[name] for name in ("ended_at", "orphan_rows", "removed_rows")},
)
_last_report = select(RECONCILIATION)
_tombstone_ids = text(
    "SELECT subject_id FROM gone WHERE kind = :kind AND subject_id > :after"
    " ORDER BY subject_id LIMIT :batch"
)
_remove_tombstones = text("DELETE FROM gone WHERE kind = :kind AND subject_id = ANY(:ids)")
_delete_tombstones = text(
    "DELETE FROM gone WHERE (kind, subject_id) IN (SELECT kind, subject_id FROM gone"
    " WHERE since < now() - CAST(:retention AS interval) LIMIT :batch FOR UPDATE SKIP LOCKED)"
)


def add_item(connection: Connection, realm: Realm, item: Item, product_name: str) -> int:
    """Add an entry and return its id.

    Raises:
        NotFound: the client or the product was deleted after the existence check.

    """
    values = {
        "client_space": _LOCK_CLASSES["client"],
        "client_key": _lock_key(item.client_id),
        "product_space": _LOCK_CLASSES["product"],
        "product_key": _lock_key(item.product_id),
        "realm": realm,
        "product_name": product_name,
        "ttl": SYNTHETIC_TTL,
    }
    added = connection.execute(_add, {**values, **as_dict(item)}).one()
    raise_missing(added.missing)
    return int(added.id)


def list_items(
    connection: Connection, realm: Realm, client_id: int, limit: int, after: int
) -> Sequence[Row[Any]]:
    """Return a page of the entries of a client, and one more row if there is a next page."""
    return _items.page(connection, realm, limit, after, client_id=client_id)


def remove_item(connection: Connection, realm: Realm, item_id: int) -> None:
    """Remove an entry; raises ``NotFound``."""
    _items.delete(connection, realm, item_id)


def remove_by(connection: Connection, realm: Realm, kind: Kind, subject_id: int) -> bool:
    """Remove a batch of the entries of a client or product; return whether more may exist."""
    values = {"_subject": subject_id, "_realm": realm, "_batch": BATCH_SIZE}
    return connection.execute(_remove_in_realm[kind], values).rowcount == BATCH_SIZE


def tombstone(connection: Connection, kind: Kind, subject_id: int) -> int:
    """Insert a tombstone, and remove a batch of entries in any realm.

    Return the number of removed entries; if it is ``BATCH_SIZE``, more may exist.
    """
    lock = {"space": _LOCK_CLASSES[kind], "subject": _lock_key(subject_id)}
    connection.execute(_LOCK_EXCLUSIVE, lock)
    connection.execute(_insert_tombstone, {"kind": kind, "subject_id": subject_id})
    return connection.execute(
        _remove[kind], {"_subject": subject_id, "_batch": BATCH_SIZE}
    ).rowcount


def delete_expired_items(connection: Connection, batch: int) -> int:
    """Delete a batch of expired entries of monitors, and return their number."""
    return connection.execute(_delete_expired, {"_batch": batch}).rowcount


def purge_tombstones(connection: Connection, batch: int) -> int:
    """Delete a batch of tombstones after their retention, and return their number."""
    return connection.execute(
        _delete_tombstones, {"batch": batch, "retention": TOMBSTONE_RETENTION}
    ).rowcount


def tombstone_ids(connection: Connection, kind: Kind, after: int, batch: int) -> list[int]:
    """Return the next ids above ``after`` that have a tombstone."""
    values = {"kind": kind, "after": after, "batch": batch}
    return list(connection.scalars(_tombstone_ids, values))


def remove_tombstones(connection: Connection, kind: Kind, owner_ids: list[int]) -> None:
    """Remove the tombstones of clients or products that exist again after a restore."""
    connection.execute(_remove_tombstones, {"kind": kind, "ids": owner_ids})


def live_owner_ids(connection: Connection, kind: Kind, after: int, batch: int) -> list[int]:
    """Return the next ids above ``after`` of clients or products with live entries."""
    return list(connection.scalars(_owner_ids[kind], {"_after": after, "_batch": batch}))


def count_entries(connection: Connection, kind: Kind, owner_ids: list[int]) -> int:
    """Return the number of live entries of some clients or products."""
    return int(connection.scalar(_count[kind], {"_owner_ids": owner_ids}) or 0)


def save_report(connection: Connection, orphan_rows: int, removed_rows: int) -> None:
    """Replace the report of the last completed reconciliation."""
    values = {"orphan_rows": orphan_rows, "removed_rows": removed_rows}
    connection.execute(_save_report, values)


def metrics(database: Database) -> Iterator[Sample]:
    """Yield the report of the last completed reconciliation, if any."""
    with database.autocommit() as connection:
        report = connection.execute(_last_report).one_or_none()
    if report is None:
        return
    about = "Entries without client or product found by the last reconciliation."
    yield Sample("cadastro_inventory_orphan_rows", about, report.orphan_rows)
    yield Sample(
        "cadastro_inventory_orphan_rows_removed",
        "Orphan rows that the last reconciliation removed.",
        report.removed_rows,
    )
    about = "End of the last completed reconciliation."
    yield Sample(
        "cadastro_inventory_last_reconciliation_timestamp_seconds",
        about,
        report.ended_at.timestamp(),
    )


def _lock_key(identifier: int) -> int:
    """Return a 32-bit lock key for an id; a collision causes only unnecessary waiting."""
    return (identifier + 2**31) % 2**32 - 2**31
