"""The table of clients that all variants share: filled before, and put right between rounds."""

import io
from collections.abc import Iterator

import psycopg2

from benchmarks.testbed import client_data

BATCH = 100_000  # lines of one COPY
COPY = "COPY clients (id, realm, name, email, email_key, cpf, balance) FROM STDIN"


class Rows:
    """The people from 1 to some number, and nobody else."""

    def __init__(self, url: str) -> None:
        """Work on the database at ``url``."""
        self._url = url

    def fill(self, first: int, last: int) -> Iterator[int]:
        """Add the people from ``first`` to ``last``; yield how many are there, after each batch."""
        connection = psycopg2.connect(self._url)
        try:
            for start in range(first, last + 1, BATCH):
                end = min(start + BATCH, last + 1)
                lines = "".join(map(client_data.line, range(start, end)))
                with connection, connection.cursor() as cursor:
                    cursor.copy_expert(COPY, io.StringIO(lines))
                yield end - 1
        finally:
            connection.close()
        self._run(f"SELECT setval(pg_get_serial_sequence('clients', 'id'), {last})")
        self.settle(last)

    def settle(self, last: int) -> None:
        """Take away what a measurement has added, and leave nothing for a vacuum to do."""
        self._run(f"DELETE FROM clients WHERE id > {last}")  # noqa: S608 - a number of ours
        self._run("VACUUM ANALYZE clients")
        self._run("CHECKPOINT")

    def _run(self, statement: str) -> None:
        connection = psycopg2.connect(self._url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()
