"""Interface of a database server with the databases of all services."""

from typing import Protocol


class Server(Protocol):
    """A server, accessed as its superuser."""

    def url(self, database: str, user: str = ...) -> str:
        """Return a connection string of a database, as the superuser or with a service's rights."""

    def execute(
        self, statement: str, parameters: tuple[str, ...] = (), database: str = ...
    ) -> list[tuple[object, ...]]:
        """Execute a statement as the superuser in autocommit mode, and return its rows."""
