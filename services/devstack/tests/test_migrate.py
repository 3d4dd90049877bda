"""Migrations of all databases: none starts before the rows of all were checked."""

from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text

from servicekit.db import migrate, wait_for_migrations
from servicekit.db.database import driver_url
from tests.support.local_system import command

pytestmark = pytest.mark.covers_subprocesses

ADD = text(
    "INSERT INTO products (realm, name, description, quantity, price, status)"
    " VALUES ('live', :name, '-', 1, 1, true)"
)
TWINS = ("Uva", "UVA", "Pera", "Maçã", "MAÇÃ", "maçã")


@pytest.fixture
def urls(postgres_url_factory: Callable[[], str]) -> dict[str, str]:
    """Databases of an earlier release, in the order of their migrations."""
    urls = {name: postgres_url_factory() for name in ("auth", "clients", "products")}
    for name, revision in (("clients", "clients_0003"), ("products", "products_0002")):
        migrate.upgrade(urls[name], migrate.configuration(name), revision)
    return urls


def revision(url: str) -> object:
    """Return the revision of a database; None if it has none."""
    with create_engine(driver_url(url)).connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        return connection.scalar(text("SELECT version_num FROM alembic_version"))


def test_rows_that_one_migration_refuses_are_named_and_no_database_is_migrated(
    urls: dict[str, str],
) -> None:
    arguments = [f"{name}={url}" for name, url in urls.items()]
    with create_engine(driver_url(urls["products"])).begin() as connection:
        connection.execute(ADD, [{"name": name} for name in TWINS])
    done = command("devstack.migrate", *arguments)
    assert done.returncode == 1
    assert "products: the products 1, 2; and 4, 5, 6 have one name but for its case" in done.stdout
    assert "Traceback" not in done.stderr
    found = {name: revision(url) for name, url in urls.items()}
    assert found == {"auth": None, "clients": "clients_0003", "products": "products_0002"}

    with create_engine(driver_url(urls["products"])).begin() as connection:
        connection.execute(text("UPDATE products SET name = name || id WHERE id IN (2, 5, 6)"))
    assert command("devstack.migrate", *arguments).returncode == 0
    for name, url in urls.items():
        assert not wait_for_migrations.pending_reason(url, name, 0)


def test_a_check_of_one_service_precedes_all_of_its_migrations(
    urls: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with create_engine(driver_url(urls["clients"])).begin() as connection:
        twins = ["\u03b9\u0308\u0301@x.com", "\u03ca\u0301@x.com"]
        connection.execute(
            text(
                "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
                " VALUES ('live', '-', '-', :key, :key, 0)"
            ),
            [{"key": key} for key in twins],
        )
    monkeypatch.setenv("DATABASE_URL", urls["clients"])
    with pytest.raises(SystemExit) as end:
        migrate.main("clients", [])
    assert end.value.code == 1
    assert "cannot migrate clients: the clients 1, 2 have one e-mail" in capsys.readouterr().err
    assert revision(urls["clients"]) == "clients_0003"


def test_databases_without_rows_or_of_a_newer_release_have_nothing_to_check(
    urls: dict[str, str],
) -> None:
    config = migrate.configuration("products")
    assert migrate.refusals(urls["auth"], migrate.configuration("auth")) == []
    assert migrate.refusals(urls["products"], config) == []
    with create_engine(driver_url(urls["products"])).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'products_9999'"))
        connection.execute(ADD, [{"name": name} for name in TWINS])
    assert migrate.refusals(urls["products"], config) == []
