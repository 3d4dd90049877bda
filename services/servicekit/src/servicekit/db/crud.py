"""Rows that belong to a realm and carry a version: the statements they need, built once."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Numeric,
    Row,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)

from servicekit.problems import NotFound, PreconditionFailed
from servicekit.realm import Realm

SYNTHETIC_LIFE = "1 hour"  # then a sweep deletes what a monitor left behind


class Rows:
    """One table, seen from one realm at a time."""

    def __init__(self, table: Table, what: str, stored: Sequence[str] = ("id",)) -> None:
        """Build the statements for ``table``, a row of which is ``what`` to a person.

        A row is read as its ``stored`` columns, in their order; a single one is followed by its
        version. Money is read as it is answered, a text with two places.
        """
        self._what = what
        columns = table.c
        mine = (columns.id == bindparam("_id")) & (columns.realm == bindparam("_realm"))
        admitted = mine & (columns.version == func.any(bindparam("_versions")))
        self._insert = self._insert_synthetic = insert(table).returning(columns.id)
        if "expires_at" in columns:
            life: ColumnElement[Any] = literal_column(f"interval '{SYNTHETIC_LIFE}'")
            self._insert_synthetic = self._insert.values(expires_at=func.now() + life)
            self._expired = (
                select(columns.id)
                .where(columns.realm == "synthetic", columns.expires_at < func.now())
                .order_by(columns.id)
                .limit(bindparam("_batch"))
                .with_for_update(skip_locked=True)
            )
        read = [_as_answered(columns[name]) for name in stored]
        self._fetch = select(*read).add_columns(columns.version).where(mine)
        self._exists = select(exists().where(mine))
        self._page = (
            select(*read)
            .where(columns.realm == bindparam("_realm"), columns.id > bindparam("_after"))
            .order_by(columns.id)
            .limit(bindparam("_limit"))
        )
        change = update(table).values(version=columns.version + 1)
        self._update = change.where(mine).returning(columns.version)
        self._update_if = change.where(admitted).returning(columns.version)
        self._delete = delete(table).where(mine)

    def insert(self, connection: Connection, realm: Realm, values: Mapping[str, Any]) -> int:
        """Add a row and return its id."""
        statement = self._insert_synthetic if realm == "synthetic" else self._insert
        return int(connection.execute(statement, {"realm": realm, **values}).scalar_one())

    def fetch(self, connection: Connection, realm: Realm, identifier: int) -> Row[Any]:
        """Return a row and, as its last value, its version.

        Raises:
            NotFound: there is none of that id in the realm.

        """
        row = connection.execute(self._fetch, _mine(realm, identifier)).first()
        if row is None:
            raise self._missing()
        return row

    def exists(self, connection: Connection, realm: Realm, identifier: int) -> bool:
        """Tell whether there is a row of that id in the realm."""
        return bool(connection.scalar(self._exists, _mine(realm, identifier)))

    def page(
        self,
        connection: Connection,
        realm: Realm,
        limit: int,
        after: int,
        **filters: Any,  # noqa: ANN401 - column values
    ) -> Sequence[Row[Any]]:
        """Return up to ``limit + 1`` rows that follow the id ``after`` and have what is asked for.

        The one row over tells that there is more.
        """
        wanted = {name: value for name, value in filters.items() if value is not None}
        statement = self._page.filter_by(**wanted) if wanted else self._page
        bounds = {"_realm": realm, "_after": after, "_limit": limit + 1}
        return connection.execute(statement, bounds).all()

    def update(
        self,
        connection: Connection,
        realm: Realm,
        identifier: int,
        versions: list[int] | None,
        values: Mapping[str, Any],
    ) -> int:
        """Replace ``values`` of a row that is at one of ``versions``, and return its new version.

        Raises:
            NotFound: there is none of that id in the realm.
            PreconditionFailed: it is at another version.

        """
        mine = _mine(realm, identifier)
        if versions is None:
            version = connection.scalar(self._update, {**mine, **values})
        else:
            among = {**mine, **values, "_versions": versions}
            version = connection.scalar(self._update_if, among)
        if version is None:
            raise PreconditionFailed if self._is_there(connection, mine) else self._missing()
        return int(version)

    def delete(self, connection: Connection, realm: Realm, identifier: int) -> None:
        """Delete a row.

        Raises:
            NotFound: there is none of that id in the realm.

        """
        if connection.execute(self._delete, _mine(realm, identifier)).rowcount == 0:
            raise self._missing()

    def expired(self, connection: Connection, batch: int) -> list[int]:
        """Return ids of rows that monitors left behind; nobody else deletes those meanwhile."""
        return list(connection.scalars(self._expired, {"_batch": batch}))

    def delete_expired(self, connection: Connection, batch: int) -> int:
        """Delete rows that monitors left behind, of which nobody is told; return their number."""
        expired = self.expired(connection, batch)
        for identifier in expired:
            self.delete(connection, "synthetic", identifier)
        return len(expired)

    def _is_there(self, connection: Connection, mine: Mapping[str, Any]) -> bool:
        return bool(connection.scalar(self._exists, mine))

    def _missing(self) -> NotFound:
        return NotFound(f"There is no such {self._what}")


def columns_of(thing: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass with slots
    """Return the values of a row by its columns, which are called as a dataclass's fields are.

    The standard library's ``asdict`` would make a deep copy of each.
    """
    return {name: getattr(thing, name) for name in thing.__slots__}


def _as_answered(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column as it is read: numbers with places as PostgreSQL writes them, as texts."""
    if isinstance(column.type, Numeric):  # a Decimal would be made of the text, and a text of it
        return cast(column, Text).label(column.name)
    return column


def _mine(realm: Realm, identifier: int) -> dict[str, Any]:
    return {"_realm": realm, "_id": identifier}
