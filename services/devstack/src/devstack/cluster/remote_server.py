"""A database server that other machines run."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from devstack.backup import BackupError

SUPERUSER = "postgres"
POLL_SECONDS = 0.5
LOCK = 0x6261636B7570  # "backup"; one lock on the server


class RemoteServer:
    """A server at the URL of its superuser, with the databases of all services."""

    def __init__(self, url: str) -> None:
        """Parse the URL (PostgreSQL documentation, 32.1.1.2).

        The password moves to PGPASSWORD of this process, for the programs of PostgreSQL: the
        arguments of a process are public.

        Raises:
            BackupError: it is not a URL of PostgreSQL.

        """
        try:
            self._parameters = parse_dsn(url)
        except psycopg2.ProgrammingError as error:
            raise BackupError("DATABASE_URL is not a URL of PostgreSQL") from error
        if password := self._parameters.pop("password", ""):
            os.environ["PGPASSWORD"] = password

    def url(self, database: str, user: str = SUPERUSER) -> str:
        """Return a connection string; a role other than the superuser is set after the login."""
        parameters = {**self._parameters, "dbname": database}
        if user != SUPERUSER:
            options = (self._parameters.get("options", ""), f"-c role={user}")
            parameters["options"] = " ".join(filter(None, options))
        return str(make_dsn(**parameters))

    def execute(
        self, statement: str, parameters: tuple[str, ...] = (), database: str = SUPERUSER
    ) -> list[tuple[object, ...]]:
        """Execute a statement as the superuser in autocommit mode, and return its rows."""
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []

    @contextmanager
    def locked(self, *, shared: bool) -> Iterator[None]:
        """Wait for other restores to end, or for backups too unless ``shared``; hold them off."""
        function = f"pg_advisory_lock{'_shared' if shared else ''}"
        with closing(psycopg2.connect(self.url(SUPERUSER))) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"SELECT {function}(%s)", (LOCK,))
            yield

    def wait(self, seconds: float) -> None:
        """Wait until the server accepts connections.

        The network policies of a cluster admit a new pod only after a moment.

        Raises:
            BackupError: it did not within ``seconds``.

        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg2.OperationalError as error:
                if time.monotonic() > deadline:
                    raise BackupError(f"the database is unavailable: {error}".strip()) from error
                time.sleep(POLL_SECONDS)
            else:
                return
