"""Expand and contract: what the release before reads and writes still works on the next schema.

A migration runs while processes of the release before still serve. What their code knows of a
table is what the schema before has of it; so its statements are made from that.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Column, Connection, Engine, MetaData, Table, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from devstack.service_catalog import SERVICES
from servicekit.db import migrate
from servicekit.db.database import driver_url

EXAMPLES: dict[type, object] = {
    bytes: b"1",
    datetime: datetime(2024, 11, 1, tzinfo=UTC),
    object: [],  # JSON
}
BEFORE = "clients_0001"


def history(service: str) -> list[Script]:
    """Return a service's migrations, the first of them first."""
    script = ScriptDirectory.from_config(migrate.configuration(service))
    return list(reversed(list(script.walk_revisions())))


def steps() -> Iterator[tuple[str, str, str]]:
    """Return every step from one release's schema to the next, and its service."""
    for service in SERVICES:
        for step in history(service)[1:]:
            yield service, str(step.down_revision), step.revision


@pytest.fixture
def url(postgres_url_factory: Callable[[], str]) -> str:
    """An empty database."""
    return postgres_url_factory()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """That database, for the test's own statements."""
    engine = create_engine(driver_url(url))
    yield engine
    engine.dispose()


def known(engine: Engine) -> list[Table]:
    """Return the tables as the schema of now has them, those that others refer to first."""
    metadata = MetaData()
    metadata.reflect(engine)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def example(column: "Column[Any]") -> object:
    """Return a value; there is one row in each table, so that what must differ does."""
    kind = column.type.python_type
    return EXAMPLES[kind] if kind in EXAMPLES else kind(1)


def use_all(engine: Engine, tables: list[Table]) -> None:
    """Write, read, change and delete a row of each table."""
    with engine.begin() as connection:
        for table in tables:
            use(connection, table)
        for table in reversed(tables):
            assert connection.execute(table.delete()).rowcount == 1


def use(connection: Connection, table: Table) -> None:
    """Write, read and change a row with the columns that a release knew of."""
    values = {column.name: example(column) for column in table.columns if column.identity is None}
    connection.execute(table.insert().values(values))
    (row,) = connection.execute(table.select())
    assert {name: row._mapping[name] for name in values} == values  # noqa: SLF001 - it is public
    connection.execute(table.update().values(values))


@pytest.mark.parametrize(("service", "before", "after"), list(steps()))
def test_what_a_release_reads_and_writes_works_on_the_schema_of_the_next(
    engine: Engine, url: str, service: str, before: str, after: str
) -> None:
    migrate.upgrade(url, migrate.configuration(service), before)
    tables = known(engine)
    migrate.upgrade(url, migrate.configuration(service), after)
    use_all(engine, tables)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE clients DROP COLUMN cpf",
        "ALTER TABLE clients RENAME COLUMN name TO nome",
        "ALTER TABLE clients ADD COLUMN born date NOT NULL",
        "ALTER TABLE clients ALTER COLUMN balance TYPE text",
        "ALTER TABLE addresses ADD CHECK (number > 1)",
    ],
)
def test_a_migration_that_contracts_too_early_is_seen(
    engine: Engine, url: str, change: str
) -> None:
    migrate.upgrade(url, migrate.configuration("clients"), BEFORE)
    tables = known(engine)
    with engine.begin() as connection:
        connection.execute(text(change))
    with pytest.raises((SQLAlchemyError, AssertionError)):
        use_all(engine, tables)
