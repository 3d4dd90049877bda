"""What monitors have left behind in a system that runs, for trials that look at it."""

from localstack.catalogue import SERVICES, tables
from localstack.folder import DataFolder
from localstack.postgres import Postgres
from localstack.sweeps import sweep

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
            for service in SERVICES
            for table in tables(self._postgres, service)
        }

    def expire(self) -> None:
        """Let the time of all synthetic rows be over, for a trial that does not wait an hour."""
        for service in SERVICES:
            for table, ages in tables(self._postgres, service).items():
                if ages:  # the others go with what they belong to
                    change = (
                        f"UPDATE {table} SET expires_at = now() - interval '1 second'{_OF_REALM}"  # noqa: S608
                    )
                    self._ask(service, change, "synthetic")

    def sweep(self) -> None:
        """Run the sweep of every service now; each prints what it deleted."""
        sweep({service: self._postgres.url(service, user=service) for service in SERVICES})

    def _ask(self, service: str, statement: str, realm: str) -> object:
        rows = self._postgres.execute(statement, (realm,), database=service)
        return rows[0][0] if rows else None
