"""Expand and contract: statements of the previous release still work on the next schema.

A migration runs while processes of the previous release still serve. Their statements are derived
from the schema before the migration.
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
    """Return a service's migrations in order."""
    script = ScriptDirectory.from_config(migrate.configuration(service))
    return list(reversed(list(script.walk_revisions())))


def steps() -> Iterator[tuple[str, str, str]]:
    """Yield every service with two consecutive revisions."""
    for service in SERVICES:
        for step in history(service)[1:]:
            yield service, str(step.down_revision), step.revision


@pytest.fixture
def url(postgres_url_factory: Callable[[], str]) -> str:
    """An empty database."""
    return postgres_url_factory()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine for the statements of the test."""
    engine = create_engine(driver_url(url))
    yield engine
    engine.dispose()


def reflected_tables(engine: Engine) -> list[Table]:
    """Return the tables of the current schema in dependency order."""
    metadata = MetaData()
    metadata.reflect(engine)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def example(column: "Column[Any]") -> object:
    """Return a value; each table has one row, so unique columns need no variation."""
    kind = column.type.python_type
    return EXAMPLES[kind] if kind in EXAMPLES else kind(1)


def use_all(engine: Engine, tables: list[Table]) -> None:
    """Insert, select, update and delete a row of each table."""
    with engine.begin() as connection:
        for table in tables:
            use(connection, table)
        for table in reversed(tables):
            assert connection.execute(table.delete()).rowcount == 1


def use(connection: Connection, table: Table) -> None:
    """Insert, select and update a row with the columns of ``table``."""
    values = {column.name: example(column) for column in table.columns if column.identity is None}
    connection.execute(table.insert().values(values))
    (row,) = connection.execute(table.select())
    assert {name: row._mapping[name] for name in values} == values  # noqa: SLF001 - a public attribute
    connection.execute(table.update().values(values))


@pytest.mark.parametrize(("service", "before", "after"), list(steps()))
def test_statements_of_a_release_work_on_the_next_schema(
    engine: Engine, url: str, service: str, before: str, after: str
) -> None:
    migrate.upgrade(url, migrate.configuration(service), before)
    tables = reflected_tables(engine)
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
def test_detects_a_migration_that_contracts_too_early(
    engine: Engine, url: str, change: str
) -> None:
    migrate.upgrade(url, migrate.configuration("clients"), BEFORE)
    tables = reflected_tables(engine)
    with engine.begin() as connection:
        connection.execute(text(change))
    with pytest.raises((SQLAlchemyError, AssertionError)):
        use_all(engine, tables)
