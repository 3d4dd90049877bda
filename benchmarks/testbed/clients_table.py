"""The table of clients that all servers share, filled before and restored between samples."""

import io
from collections.abc import Iterator

import psycopg2

from benchmarks.testbed import client_data

BATCH_ROWS = 100_000  # of one COPY
COPY = "COPY clients (id, realm, name, email, email_key, cpf, balance) FROM STDIN"


class ClientsTable:
    """A table with the generated clients from 1 to some number."""

    def __init__(self, url: str) -> None:
        """Use the database at ``url``."""
        self._url = url

    def fill(self, first: int, last: int) -> Iterator[int]:
        """Add the clients from ``first`` to ``last``; yield the row count after each batch."""
        connection = psycopg2.connect(self._url)
        try:
            for start in range(first, last + 1, BATCH_ROWS):
                end = min(start + BATCH_ROWS, last + 1)
                lines = "".join(map(client_data.copy_line, range(start, end)))
                with connection, connection.cursor() as cursor:
                    cursor.copy_expert(COPY, io.StringIO(lines))
                yield end - 1
        finally:
            connection.close()
        self._execute(f"SELECT setval(pg_get_serial_sequence('clients', 'id'), {last})")
        self.restore(last)

    def fill_all(self, last: int) -> None:
        """Add the clients from 1 to ``last``."""
        for _ in self.fill(1, last):
            pass

    def restore(self, last: int) -> None:
        """Delete the rows that a measurement added, then vacuum and checkpoint."""
        self._execute(f"DELETE FROM clients WHERE id > {last}")  # noqa: S608 - an integer
        self._execute("VACUUM ANALYZE clients")
        self._execute("CHECKPOINT")

    def _execute(self, statement: str) -> None:
        connection = psycopg2.connect(self._url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()
