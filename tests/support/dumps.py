"""Dumps of backups that are damaged, or of an earlier release."""

import hashlib
import json
import subprocess
from pathlib import Path

from devstack.backup import MANIFEST
from devstack.postgres import Postgres
from devstack.postgres_programs import program
from servicekit.db import migrate

EARLIER = "products_0002"  # a revision of an earlier release
INSERT = (
    "INSERT INTO products (realm, name, description, quantity, price, status)"
    " VALUES ('live', %s, '-', 1, 1, true)"
)


def rewrite_dump(backup: Path, name: str, content: bytes) -> None:
    """Replace a dump, with a correct checksum."""
    manifest = json.loads((backup / MANIFEST).read_text())
    (backup / f"{name}.dump").write_bytes(content)
    manifest["databases"][name]["sha256"] = hashlib.sha256(content).hexdigest()
    (backup / MANIFEST).write_text(json.dumps(manifest))


def earlier_products(server: Postgres, *names: str) -> bytes:
    """Return a dump of products that an earlier release has stored."""
    server.execute("CREATE DATABASE older")
    try:
        migrate.upgrade(server.url("older"), migrate.configuration("products"), EARLIER)
        for name in names:
            server.execute(INSERT, (name,), "older")
        command = [program("pg_dump"), "--format=custom", "--no-owner", server.url("older")]
        return subprocess.run(command, check=True, capture_output=True).stdout
    finally:
        server.execute("DROP DATABASE older WITH (FORCE)")
