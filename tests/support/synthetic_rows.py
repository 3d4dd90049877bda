"""Rows of the monitors' realm in the databases of a running local system."""

from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from devstack.purge import purge
from devstack.service_catalog import SERVICES, tables

_OF_REALM = " WHERE realm = %s"


class SyntheticRows:
    """Access to the rows of a realm in all databases."""

    def __init__(self, data: DataFolder) -> None:
        """Use the databases of the system that runs on ``data``."""
        self._postgres = Postgres(data.postgres, data.logs / "postgres.log")

    def count(self, realm: str) -> dict[str, int]:
        """Return the number of rows of a realm, by table."""
        return {
            table: int(
                str(self._execute(service, f"SELECT count(*) FROM {table}{_OF_REALM}", realm))  # noqa: S608 - our own names
            )
            for service in SERVICES
            for table in tables(self._postgres, service)
        }

    def expire(self) -> None:
        """Set the expiry of all synthetic rows to the past, so that a test need not wait."""
        for service in SERVICES:
            for table, has_expiry in tables(self._postgres, service).items():
                if has_expiry:  # rows without an expiry are deleted with their parent
                    change = (
                        f"UPDATE {table} SET expires_at = now() - interval '1 second'{_OF_REALM}"  # noqa: S608
                    )
                    self._execute(service, change, "synthetic")

    def purge(self) -> None:
        """Run the purge of every service once."""
        purge({service: self._postgres.url(service, user=service) for service in SERVICES})

    def _execute(self, service: str, statement: str, realm: str) -> object:
        rows = self._postgres.execute(statement, (realm,), database=service)
        return rows[0][0] if rows else None
