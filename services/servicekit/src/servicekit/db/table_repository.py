"""Repository for tables whose rows have a realm and a version; statements are built once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
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

from servicekit.db.folding import folded
from servicekit.problems import NotFound, PreconditionFailed
from servicekit.realm import Realm

SYNTHETIC_TTL = "1 hour"  # of rows that a monitor left behind; then a sweep deletes them


@dataclass(frozen=True, slots=True)
class VersionCondition:
    """Versions at which a row may be changed, or at which it may not."""

    versions: list[int]
    is_allowed: bool

    def to_parameters(self) -> dict[str, Any]:
        """Return the parameters of a conditional statement."""
        return {"_versions": self.versions, "_is_allowed": self.is_allowed}


class TableRepository:
    """Statements on one table, each limited to one realm."""

    def __init__(
        self,
        table: Table,
        label: str,
        columns: Sequence[str] = ("id",),
        *,
        folded_filters: Collection[str] = (),
    ) -> None:
        """Build the statements for ``table``; error messages call a row a ``label``.

        Queries return ``columns`` in their order; ``fetch`` adds the version. Money is returned as
        a text with two decimal places. ``folded_filters`` are the columns whose filters ignore case
        and Unicode composition.
        """
        self._label = label
        self._filters = {
            column.name: folded(column) if column.name in folded_filters else column
            for column in table.c
        }
        self._folded_filters = folded_filters
        c = table.c
        is_row = (c.id == bindparam("_id")) & (c.realm == bindparam("_realm"))
        is_named = c.version == func.any(bindparam("_versions"))
        meets_condition = is_row & (is_named == bindparam("_is_allowed", type_=Boolean))
        self._insert = self._insert_synthetic = insert(table).returning(c.id)
        if "expires_at" in c:
            ttl: ColumnElement[Any] = literal_column(f"interval '{SYNTHETIC_TTL}'")
            self._insert_synthetic = self._insert.values(expires_at=func.now() + ttl)
            self._expired = (
                select(c.id)
                .where(c.realm == "synthetic", c.expires_at < func.now())
                .order_by(c.id)
                .limit(bindparam("_batch"))
                .with_for_update(skip_locked=True)
            )
        selected = [_serialized(c[name]) for name in columns]
        self._fetch = select(*selected).add_columns(c.version).where(is_row)
        self._exists = select(exists().where(is_row))
        self._page = (
            select(*selected)
            .where(c.realm == bindparam("_realm"), c.id > bindparam("_after"))
            .order_by(c.id)
            .limit(bindparam("_limit"))
        )
        change = update(table).values(version=c.version + 1)
        self._update = change.where(is_row).returning(c.version)
        self._update_if = change.where(meets_condition).returning(c.version)
        self._delete = delete(table).where(is_row)
        self._delete_if = delete(table).where(meets_condition)

    def insert(self, connection: Connection, realm: Realm, values: Mapping[str, Any]) -> int:
        """Insert a row and return its id."""
        statement = self._insert_synthetic if realm == "synthetic" else self._insert
        return int(connection.execute(statement, {"realm": realm, **values}).scalar_one())

    def fetch(self, connection: Connection, realm: Realm, identifier: int) -> Row[Any]:
        """Return a row and, as its last value, its version.

        Raises:
            NotFound: the realm has no row with that id.

        """
        row = connection.execute(self._fetch, _row_key(realm, identifier)).first()
        if row is None:
            raise self._not_found()
        return row

    def exists(self, connection: Connection, realm: Realm, identifier: int) -> bool:
        """Return whether the realm has a row with that id."""
        return bool(connection.scalar(self._exists, _row_key(realm, identifier)))

    def page(
        self,
        connection: Connection,
        realm: Realm,
        limit: int,
        after: int,
        **filters: Any,  # noqa: ANN401 - column values
    ) -> Sequence[Row[Any]]:
        """Return up to ``limit + 1`` rows that follow the id ``after`` and match the filters.

        An additional row means that there is a next page.
        """
        statement = self._page
        for name, value in filters.items():
            if value is not None:
                operand = folded(value) if name in self._folded_filters else value
                statement = statement.where(self._filters[name] == operand)
        bounds = {"_realm": realm, "_after": after, "_limit": limit + 1}
        return connection.execute(statement, bounds).all()

    def update(
        self,
        connection: Connection,
        realm: Realm,
        identifier: int,
        condition: VersionCondition | None,
        values: Mapping[str, Any],
    ) -> int:
        """Update a row whose version meets ``condition``, and return its new version.

        Raises:
            NotFound: the realm has no row with that id.
            PreconditionFailed: the version does not meet the condition.

        """
        key = _row_key(realm, identifier)
        if condition is None:
            version = connection.scalar(self._update, {**key, **values})
        else:
            given = {**key, **values, **condition.to_parameters()}
            version = connection.scalar(self._update_if, given)
        if version is None:
            raise PreconditionFailed if self._row_exists(connection, key) else self._not_found()
        return int(version)

    def delete(
        self,
        connection: Connection,
        realm: Realm,
        identifier: int,
        condition: VersionCondition | None = None,
    ) -> None:
        """Delete a row whose version meets ``condition``.

        Raises:
            NotFound: the realm has no row with that id.
            PreconditionFailed: the version does not meet the condition.

        """
        key = _row_key(realm, identifier)
        if condition is None:
            deleted = connection.execute(self._delete, key)
        else:
            deleted = connection.execute(self._delete_if, {**key, **condition.to_parameters()})
        if deleted.rowcount == 0:
            exists = condition is not None and self._row_exists(connection, key)
            raise PreconditionFailed if exists else self._not_found()

    def expired(self, connection: Connection, batch: int) -> list[int]:
        """Return ids of expired synthetic rows, and lock those rows until the transaction ends."""
        return list(connection.scalars(self._expired, {"_batch": batch}))

    def delete_expired(self, connection: Connection, batch: int) -> int:
        """Delete expired synthetic rows without an outbox message, and return their number."""
        expired = self.expired(connection, batch)
        for identifier in expired:
            self.delete(connection, "synthetic", identifier)
        return len(expired)

    def _row_exists(self, connection: Connection, key: Mapping[str, Any]) -> bool:
        return bool(connection.scalar(self._exists, key))

    def _not_found(self) -> NotFound:
        return NotFound(f"There is no such {self._label}")


def as_dict(instance: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass with slots
    """Return the fields of a dataclass with slots as column values.

    Unlike ``dataclasses.asdict`` it makes no deep copies.
    """
    return {name: getattr(instance, name) for name in instance.__slots__}


def _serialized(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column as it is selected: decimal numbers in PostgreSQL's own text form."""
    if isinstance(column.type, Numeric):  # psycopg2 would parse a Decimal only to print it again
        return cast(column, Text).label(column.name)
    return column


def _row_key(realm: Realm, identifier: int) -> dict[str, Any]:
    return {"_realm": realm, "_id": identifier}
