"""Migrations of all services: linted, run on old data and under traffic."""

import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError

from clients.tables import ADDRESSES, CLIENTS
from devstack.service_catalog import SERVICES
from products.tables import PRODUCTS
from servicekit.db import migrate, wait_for_migrations
from servicekit.db.database import driver_url
from servicekit.db.folding import folded

SQUAWK = Path(sys.executable).with_name("squawk")

EXCLUDED = {
    "prefer-text-field": "contracts limit every text, and so does the column",
    "prefer-bigint-over-int": "the contracts bound these numbers well below 32 bits",
    "prefer-bigint-over-smallint": "the column holds HTTP statuses",
    "prefer-robust-stmts": "one transaction each; indexes outside of one are dropped first",
}

FIRST = {
    "clients": (
        "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
        " SELECT CASE WHEN i <= 50 THEN 'synthetic' ELSE 'live' END, 'Ana', i, i, i, i"
        " FROM generate_series(20000, 1, -1) AS i"
    ),
    "products": (
        "INSERT INTO products (realm, name, description, quantity, price, status)"
        " SELECT CASE WHEN i <= 50 THEN 'synthetic' ELSE 'live' END, i, '-', i, i, true"
        " FROM generate_series(20000, 1, -1) AS i"
    ),
}


def lint(sql: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run squawk over some SQL."""
    file = folder / "migration.sql"
    file.write_text(sql)
    excluded = f"--exclude={','.join(EXCLUDED)}"
    options = ["--pg-version=18", "--reporter=gcc", excluded, str(file)]
    return subprocess.run([SQUAWK, *options], capture_output=True, text=True, check=False)


def steps() -> Iterator[tuple[str, str]]:
    """Yield every service with the revision range of one migration."""
    for service in SERVICES:
        script = ScriptDirectory.from_config(migrate.configuration(service))
        for revision in script.walk_revisions():
            yield service, f"{revision.down_revision or 'base'}:{revision.revision}"


@pytest.mark.parametrize(("service", "step"), list(steps()))
def test_every_migration_passes_the_linter(service: str, step: str, tmp_path: Path) -> None:
    config = migrate.configuration(service)
    config.output_buffer = io.StringIO()
    command.upgrade(config, step, sql=True)
    done = lint(config.output_buffer.getvalue(), tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX ix_clients_name ON clients (name);",
        "ALTER TABLE clients ADD COLUMN age bigint NOT NULL;",
        "ALTER TABLE clients RENAME COLUMN name TO nome;",
        "ALTER TABLE clients DROP COLUMN name;",
    ],
)
def test_linter_detects_a_migration_that_blocks_traffic(sql: str, tmp_path: Path) -> None:
    assert lint(f"SET lock_timeout = '1s';\n{sql}\n", tmp_path).returncode != 0


@pytest.fixture(params=sorted(FIRST))
def service(request: pytest.FixtureRequest) -> str:
    """A service with migrations since the first release."""
    return str(request.param)


@pytest.fixture
def url(service: str, postgres_url_factory: Callable[[], str]) -> str:
    """A database of the first release with data."""
    url = postgres_url_factory()
    migrate.upgrade(url, migrate.configuration(service), f"{service}_0001")
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text(FIRST[service]))
    engine.dispose()
    return url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine for the queries of the test."""
    engine = create_engine(driver_url(url))
    yield engine
    engine.dispose()


def contents(connection: Connection, service: str) -> list[dict[str, object]]:
    """Return every row of the service's main table."""
    rows = connection.execute(text(f"SELECT * FROM {service} ORDER BY id"))
    return [dict(row) for row in rows.mappings()]


def plan_of_a_page(connection: Connection, service: str) -> str:
    """Return the query plan of a monitor's page."""
    connection.execute(text(f"ANALYZE {service}"))
    page = f"SELECT * FROM {service} WHERE realm = 'synthetic' AND id > 0 ORDER BY id LIMIT 11"
    return str(connection.execute(text(f"EXPLAIN (FORMAT JSON) {page}")).scalar())


def test_upgrade_from_the_first_release_keeps_every_row_and_uses_the_page_index(
    engine: Engine, url: str, service: str
) -> None:
    with engine.begin() as connection:
        before, plan = contents(connection, service), plan_of_a_page(connection, service)
    assert "realm_id" not in plan
    migrate.upgrade(url, migrate.configuration(service))
    with engine.begin() as connection:
        after = contents(connection, service)
        kept = [
            {name: row[name] for name in first}  # a later release may have added columns
            for row, first in zip(after, before, strict=True)
        ]
        assert kept == before
        assert f"{service}_realm_id" in plan_of_a_page(connection, service)


def test_upgrade_rebuilds_an_index_of_a_failed_attempt(
    engine: Engine, url: str, service: str
) -> None:
    index = "uq_clients_realm_id" if service == "clients" else "ix_products_realm_id"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE INDEX {index} ON {service} (realm)"))
    migrate.upgrade(url, migrate.configuration(service))
    with engine.begin() as connection:
        definition = text("SELECT pg_get_indexdef(to_regclass(:index))")
        assert "(realm, id)" in str(connection.scalar(definition, {"index": index}))


def test_index_build_allows_writes_and_waits_for_open_transactions(
    engine: Engine, url: str, service: str
) -> None:
    write = text(f"UPDATE {service} SET version = version + 1 WHERE id = 1")
    building = text("SELECT count(*) FROM pg_stat_progress_create_index")
    migration = threading.Thread(target=migrate.upgrade, args=(url, migrate.configuration(service)))
    with engine.connect() as older:
        older.execute(write)
        migration.start()
        with engine.connect() as other:
            while not other.scalar(building):
                other.rollback()
            other.execute(text(f"UPDATE {service} SET version = 7 WHERE id = 2"))
            other.commit()
        assert migration.is_alive()
        older.commit()
    migration.join(60)
    assert not wait_for_migrations.pending_reason(url, service, 0)
    with engine.connect() as connection:
        rows = text(f"SELECT version FROM {service} WHERE id IN (1, 2) ORDER BY id")
        assert list(connection.scalars(rows)) == [2, 7]


def test_migration_reports_names_that_differ_only_in_case_and_changes_nothing(
    postgres_url_factory: Callable[[], str],
) -> None:
    url, config = postgres_url_factory(), migrate.configuration("products")
    migrate.upgrade(url, config, "products_0002")
    engine = create_engine(driver_url(url))
    add = text(
        "INSERT INTO products (realm, name, description, quantity, price, status)"
        " VALUES (:realm, :name, '-', 1, 1, true)"
    )
    rows = [("live", "Maçã"), ("live", "Uva"), ("live", "MAÇÃ"), ("synthetic", "UVA")]
    with engine.begin() as connection:
        connection.execute(add, [{"realm": realm, "name": name} for realm, name in rows])
    with pytest.raises(DBAPIError, match="the products 1, 3 have one name but for its case"):
        migrate.upgrade(url, config)
    with engine.begin() as connection:
        assert len(contents(connection, "products")) == len(rows)
        connection.execute(text("UPDATE products SET name = 'Pera' WHERE id = 3"))
    migrate.upgrade(url, config)
    assert not wait_for_migrations.pending_reason(url, "products", 0)
    engine.dispose()


def test_migration_reports_names_that_differ_only_after_case_folding(
    postgres_url_factory: Callable[[], str],
) -> None:
    url, config = postgres_url_factory(), migrate.configuration("products")
    migrate.upgrade(url, config, "products_0004")
    engine = create_engine(driver_url(url))
    add = text(
        "INSERT INTO products (realm, name, description, quantity, price, status)"
        " VALUES ('live', :name, '-', 1, 1, true)"
    )
    with engine.begin() as connection:
        connection.execute(add, [{"name": "\u0390"}, {"name": "Uva"}, {"name": "\u03aa\u0301"}])
    with pytest.raises(DBAPIError, match="the products 1, 3 have one name but for its case and"):
        migrate.upgrade(url, config)
    with engine.begin() as connection:
        connection.execute(text("UPDATE products SET name = 'Pera' WHERE id = 3"))
    for _ in range(2):  # the second one after an attempt that ended before its record
        migrate.upgrade(url, config, "products_0005")
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'products_0004'"))
    migrate.upgrade(url, config)
    with engine.begin() as connection, pytest.raises(DBAPIError, match="uq_products_name_folded"):
        connection.execute(add, {"name": "\u03aa\u0301"})
    engine.dispose()


def test_migration_normalizes_the_keys_of_emails_and_reports_twins(
    postgres_url_factory: Callable[[], str],
) -> None:
    url, config = postgres_url_factory(), migrate.configuration("clients")
    migrate.upgrade(url, config, "clients_0003")
    engine = create_engine(driver_url(url))
    add = text(
        "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
        " VALUES (:realm, '-', '-', :key, :key, 0)"
    )
    composed, one, two = "\u0390@x.com", "\u03b9\u0308\u0301@x.com", "\u03ca\u0301@x.com"
    keys = [("live", one), ("live", "a@x.com"), ("live", two), ("synthetic", composed)]
    with engine.begin() as connection:
        connection.execute(add, [{"realm": realm, "key": key} for realm, key in keys])
    with pytest.raises(DBAPIError, match="the clients 1, 3 have one e-mail"):
        migrate.upgrade(url, config)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM clients WHERE id = 3"))
    migrate.upgrade(url, config)
    with engine.begin() as connection:
        stored = connection.scalars(text("SELECT email_key FROM clients ORDER BY id"))
        assert list(stored) == [composed, "a@x.com", composed]
    engine.dispose()


def test_filters_by_name_and_city_use_their_indexes(
    postgres_url_factory: Callable[[], str],
) -> None:
    for service, table, column in (
        ("clients", CLIENTS, "name"),
        ("clients", ADDRESSES, "city"),
        ("products", PRODUCTS, "name"),
    ):
        url = postgres_url_factory()
        migrate.upgrade(url, migrate.configuration(service))
        engine = create_engine(driver_url(url))
        query = select(table).where(table.c.realm == "live", folded(table.c[column]) == folded("x"))
        compiled = query.compile(engine, compile_kwargs={"literal_binds": True})
        with engine.begin() as connection:
            connection.execute(text("SET enable_seqscan = off; SET enable_bitmapscan = off"))
            plan = str(connection.execute(text(f"EXPLAIN (FORMAT JSON) {compiled}")).scalar())
        assert f"{table.name}_{column}_folded" in plan
        engine.dispose()
