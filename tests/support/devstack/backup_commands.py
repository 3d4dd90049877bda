"""The commands that back up and restore a server elsewhere, as processes."""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from typing import Any

from devstack.postgres import Postgres

INSERT = (
    "INSERT INTO products (realm, name, description, quantity, price, status)"
    " VALUES ('live', %s, '', 1, 1, true) RETURNING id"
)
IDS = "SELECT id FROM products ORDER BY id"


@dataclass(frozen=True)
class BackupCommands:
    """The commands for one database server and one place."""

    server: Postgres
    place: str
    options: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        url = self.server.url("postgres")
        words = [sys.executable, "-m", "devstack.cluster", name, self.place, *self.options]
        return subprocess.run(
            [*words, "--wait", "0", *options],
            env={**os.environ, **self.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )

    def back_up(self, *options: str) -> str:
        """Back up, and return the name of the set."""
        done = self.run("backup", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def restore(self, *options: str) -> dict[str, Any]:
        """Restore, and return the report."""
        done = self.run("restore", *options)
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout or "{}")
        return report

    def fail(self, name: str, *options: str) -> str:
        """Run a command that fails, and return its error."""
        done = self.run(name, *options)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()[-1]

    def insert(self, name: str) -> int:
        """Insert a product, whose name is made unique."""
        name = f"{name} {uuid.uuid4()}"
        return int(str(self.server.execute(INSERT, (name,), "products")[0][0]))

    def products(self) -> list[int]:
        """Return the identifiers of the products."""
        return [int(str(row[0])) for row in self.server.execute(IDS, database="products")]
