"""What monitors have left behind in a system that runs, and the sweeps that delete it.

In a cluster the sweeps are CronJobs; on one machine `python -m localstack sweep` runs them.
"""

import os
import subprocess
import sys

from localstack.folder import DataFolder
from localstack.postgres import Postgres

TABLES = {
    "auth": ("users",),
    "clients": ("clients", "addresses"),
    "products": ("products",),
    "inventory": ("inventory_items",),
}
AGEING = ("users", "clients", "products", "inventory_items")  # addresses go with their clients

_OF_REALM = " WHERE realm = %s"


class Leftovers:
    """The rows of a realm, in all databases."""

    def __init__(self, data: DataFolder) -> None:
        """Look into the databases of the run that uses ``data``."""
        self._postgres = Postgres(data.postgres, data.logs / "postgres.log")

    def rows(self, realm: str) -> dict[str, int]:
        """Return how many rows of a realm each table holds."""
        return {
            table: int(str(self._ask(service, f"SELECT count(*) FROM {table}{_OF_REALM}", realm)))  # noqa: S608 - our own names
            for service, tables in TABLES.items()
            for table in tables
        }

    def expire(self) -> None:
        """Let the time of all synthetic rows be over, for a trial that does not wait an hour."""
        for service, tables in TABLES.items():
            for table in tables:
                if table in AGEING:
                    change = (
                        f"UPDATE {table} SET expires_at = now() - interval '1 second'{_OF_REALM}"  # noqa: S608
                    )
                    self._ask(service, change, "synthetic")

    def is_reachable(self) -> bool:
        """Tell whether the databases answer."""
        return self._postgres.answers()

    def sweep(self) -> None:
        """Run the sweep of every service; each prints what it deleted."""
        for service in TABLES:
            environ = {**os.environ, "DATABASE_URL": self._postgres.url(service, user=service)}
            command = [sys.executable, "-m", f"{service}.sweep"]
            subprocess.run(command, env=environ, check=True)  # noqa: S603 - our own command

    def _ask(self, service: str, statement: str, realm: str) -> object:
        rows = self._postgres.execute(statement, (realm,), database=service)
        return rows[0][0] if rows else None


def main(data: DataFolder) -> int:
    """Sweep the system that uses ``data``."""
    leftovers = Leftovers(data)
    if not data.postgres.exists() or not leftovers.is_reachable():
        sys.stderr.write(f"cadastro: nothing runs on {data.path}; start it with: make run\n")
        return 1
    leftovers.sweep()
    return 0
