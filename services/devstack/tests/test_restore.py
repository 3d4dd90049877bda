"""Backup and restore of single databases."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

import devstack.backup
from devstack import databases
from devstack.backup import MANIFEST, BackupError, back_up, verify_dump
from devstack.databases import Difference
from devstack.postgres import Postgres
from devstack.service_catalog import SERVICES
from servicekit.db import wait_for_migrations
from tests.support.dumps import earlier_products, rewrite_dump
from tests.support.local_system import command

pytestmark = pytest.mark.covers_subprocesses


def restore(server: Postgres, backup: Path, *names: str) -> dict[str, Difference]:
    """Restore services, and return the differences by table."""
    dumps = {name: verify_dump(backup, name)[0] for name in names}
    return {t: d for found in databases.replace(server, dumps).values() for t, d in found.items()}


def state(server: Postgres) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of the four databases, and the names of all databases."""
    tables = {"auth": "users", "clients": "clients", "products": "products"}
    tables["inventory"] = "inventory_items"
    rows = {
        name: server.execute(f"SELECT * FROM {table} ORDER BY id", database=name)
        for name, table in tables.items()
    }
    names = server.execute("SELECT datname FROM pg_database ORDER BY 1")
    return {**rows, "databases": names}


INSERTS = {
    "auth": "INSERT INTO users (realm, name, name_key, password) VALUES ('live', %s, %s, 'x')",
    "clients": "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
    " VALUES ('live', 'Ana', %s, %s, left(md5(random()::text), 14), 1)",
    "products": "INSERT INTO products (realm, name, description, quantity, price, status)"
    " VALUES ('live', %s, %s, 1, 1, true)",
    "inventory": "INSERT INTO inventory_items (realm, client_id, product_id, product_name,"
    " number_of_items, purchase_date) VALUES ('live', 700, 800, %s || %s, 1, now())",
}


@pytest.mark.parametrize("name", INSERTS)
def test_a_database_is_restored_alone_without_reusing_ids(
    server: Postgres, tmp_path: Path, name: str
) -> None:
    table = INSERTS[name].split()[2]

    def add(word: str) -> int:
        added = server.execute(f"{INSERTS[name]} RETURNING id", (word, word), name)
        return int(str(added[0][0]))

    def ids() -> list[int]:
        rows = server.execute(f"SELECT id FROM {table} ORDER BY id", database=name)
        return [int(str(row[0])) for row in rows]

    old, deleted = add("old"), add("deleted")
    backup = back_up(server, tmp_path)
    server.execute(f"DELETE FROM {table} WHERE id = {deleted}", database=name)
    lost = [add(f"lost-{number}") for number in range(3)]
    difference = restore(server, backup, name)[table]
    assert (difference.lost, difference.back) == (3, 1)
    assert {old, deleted} <= set(ids())
    assert not set(lost) & set(ids())
    assert add("new") > max(lost)
    assert server.execute("SELECT version_num FROM alembic_version", database=name)
    owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = %s::regclass"
    assert server.execute(owner, (table,), name) == [(name,)]
    left = server.execute("SELECT datname FROM pg_database WHERE datname ~ '_(before|restored)$'")
    assert left == []


def test_ids_known_only_to_the_inventory_are_not_reused(server: Postgres, tmp_path: Path) -> None:
    backup = back_up(server, tmp_path)
    server.execute(INSERTS["inventory"], ("x", "y"), "inventory")
    server.execute("INSERT INTO gone (kind, subject_id) VALUES ('client', 900)", (), "inventory")
    assert restore(server, backup, "clients")["clients"].newest_id == 900
    assert restore(server, backup, "products")["products"].newest_id == 800


@pytest.mark.parametrize("broken", SERVICES)
def test_a_truncated_dump_leaves_all_databases_unchanged(
    server: Postgres, tmp_path: Path, broken: str
) -> None:
    backup = back_up(server, tmp_path)
    for name in ("auth", "clients", "products"):
        word = f"kept-{broken}"
        server.execute(INSERTS[name], (word, word), name)
    rewrite_dump(backup, broken, (backup / f"{broken}.dump").read_bytes()[:2000])
    before = state(server)
    with pytest.raises(BackupError, match=f"pg_restore could not restore {broken}"):
        restore(server, backup, *SERVICES)
    assert state(server) == before


@pytest.mark.parametrize("content", ["foreign", "empty", "text"])
def test_a_dump_of_something_else_leaves_all_databases_unchanged(
    server: Postgres, tmp_path: Path, content: str
) -> None:
    backup = back_up(server, tmp_path)
    word = f"kept-{content}"
    server.execute(INSERTS["clients"], (word, word), "clients")
    contents = {
        "foreign": (backup / "products.dump").read_bytes(),
        "empty": b"",
        "text": b"DROP DATABASE clients;",
    }
    rewrite_dump(backup, "clients", contents[content])
    before = state(server)
    with pytest.raises(BackupError, match=r"not a dump of clients|could not restore clients"):
        restore(server, backup, *SERVICES)
    assert state(server) == before


def test_a_dump_of_an_earlier_release_is_migrated(server: Postgres, tmp_path: Path) -> None:
    backup = back_up(server, tmp_path)
    rewrite_dump(backup, "products", earlier_products(server, "earlier"))
    restore(server, backup, "products")
    assert not wait_for_migrations.pending_reason(server.url("products"), "products", 0)
    assert server.execute("SELECT name FROM products", database="products") == [("earlier",)]


def test_a_dump_that_cannot_be_migrated_leaves_all_databases_unchanged(
    server: Postgres, tmp_path: Path
) -> None:
    backup = back_up(server, tmp_path)
    rewrite_dump(backup, "products", earlier_products(server, "Uva", "UVA"))
    before = state(server)
    with pytest.raises(BackupError, match="the products 1, 2 have one name"):
        restore(server, backup, *SERVICES)
    assert state(server) == before


def test_ids_of_owners_that_only_the_restored_inventory_has_are_not_reused(
    server: Postgres, tmp_path: Path
) -> None:
    insert = INSERTS["inventory"].replace("700, 800", "7000, 8000")
    server.execute(insert, ("x", "y"), "inventory")
    backup = back_up(server, tmp_path)
    server.execute("DELETE FROM inventory_items", database="inventory")
    found = restore(server, backup, *SERVICES)
    assert found["clients"].newest_id >= 7000
    assert found["products"].newest_id >= 8000


@pytest.mark.parametrize("fault", ["file", "full", "dump"])
def test_a_failed_backup_leaves_no_draft(
    server: Postgres, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "backups"

    def fill(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if fault == "file":
        target.touch()
    elif fault == "full":
        monkeypatch.setattr(os, "fsync", fill)
    else:
        monkeypatch.setattr(devstack.backup, "SERVICES", ("auth", "missing"))
    with pytest.raises(BackupError, match=r"TO=|could not read missing"):
        back_up(server, target)
    assert not target.is_dir() or list(target.iterdir()) == []


def test_a_backup_is_readable_by_its_owner_only(server: Postgres, tmp_path: Path) -> None:
    backup = back_up(server, tmp_path)
    assert backup.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in backup.glob("*.dump"))


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda folder: (folder / MANIFEST).unlink(), "not a complete backup of auth"),
        (lambda folder: (folder / "auth.dump").unlink(), "not a complete backup of auth"),
        (lambda folder: (folder / "auth.dump").write_bytes(b"other"), "wrong checksum"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), "not a complete backup of auth"),
        (lambda folder: (folder / MANIFEST).write_text("[]"), "not a complete backup of auth"),
        (lambda folder: (folder / MANIFEST).write_bytes(b"\xff"), "not a complete backup of auth"),
        (
            lambda folder: (folder / MANIFEST).write_text('{"databases": {"auth": {}}}'),
            "not a complete backup of auth",
        ),
    ],
)
def test_a_damaged_backup_is_rejected(tmp_path: Path, damage: Any, error: str) -> None:
    (tmp_path / "auth.dump").write_bytes(b"dump")
    digest = "0" * 64
    entry = {"databases": {"auth": {"at": "now", "sha256": digest}}}
    (tmp_path / MANIFEST).write_text(json.dumps(entry))
    damage(tmp_path)
    with pytest.raises(BackupError, match=error):
        verify_dump(tmp_path, "auth")


def test_the_errors_of_the_commands_have_a_remedy(tmp_path: Path) -> None:
    none = command("devstack.backup", "--data", str(tmp_path / "none"))
    assert none.returncode == 1
    assert "name the folder with DATA=" in none.stderr
    incomplete = command("devstack.restore", str(tmp_path), "--data", str(tmp_path / "none"))
    assert incomplete.returncode == 1
    assert "not a complete backup" in incomplete.stderr
    assert not (tmp_path / "none").exists()
    for name, module, *options in (
        ("TO", "devstack.backup", "--to", ""),
        ("BACKUP", "devstack.restore", ""),
    ):
        empty = command(module, *options)
        assert empty.returncode == 2
        assert f"name a folder with {name}=" in empty.stderr
    unknown = command("devstack.restore", "x", "--services", "billing")
    assert unknown.returncode == 2
    assert "there is no service billing" in unknown.stderr
