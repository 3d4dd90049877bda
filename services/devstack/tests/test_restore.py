"""Backup and restore of single databases."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.backup import MANIFEST, BackupError, back_up, verify_dump
from devstack.postgres import Postgres
from devstack.pytest_postgres import traversable_folder
from devstack.restore import restore
from devstack.service_catalog import SERVICES
from servicekit.db import migrate
from tests.support.local_system import command


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server with the four databases, migrated and empty."""
    with traversable_folder() as folder:
        server = Postgres(folder / "pg", folder / "postgres.log")
        server.initialise()
        server.start()
        try:
            for name in SERVICES:
                server.execute(f'CREATE ROLE "{name}" LOGIN')
                server.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
                migrate.upgrade(server.url(name, user=name), migrate.configuration(name))
            yield server
        finally:
            server.stop()


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


def test_a_failed_restore_leaves_the_database_unchanged(server: Postgres, tmp_path: Path) -> None:
    backup = back_up(server, tmp_path)
    server.execute(INSERTS["auth"], ("kept", "kept"), "auth")
    manifest = json.loads((backup / MANIFEST).read_text())
    broken = (backup / "auth.dump").read_bytes()[:2000]
    (backup / "auth.dump").write_bytes(broken)
    manifest["databases"]["auth"]["sha256"] = hashlib.sha256(broken).hexdigest()
    (backup / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match="pg_restore could not restore auth"):
        restore(server, backup, "auth")
    kept = server.execute("SELECT count(*) FROM users WHERE name = 'kept'", database="auth")
    assert kept == [(1,)]


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
    unknown = command("devstack.restore", "x", "--services", "billing")
    assert unknown.returncode == 2
    assert "there is no service billing" in unknown.stderr
