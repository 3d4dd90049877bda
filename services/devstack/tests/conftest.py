"""Fixtures of the tests of the local system."""

from collections.abc import Iterator

import pytest

from devstack import databases
from devstack.postgres import Postgres
from devstack.pytest_postgres import FAST_SETTINGS, traversable_folder
from devstack.service_catalog import SERVICES
from servicekit.db import migrate


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server with the four databases, migrated and empty."""
    with traversable_folder() as folder:
        server = Postgres(folder / "pg", folder / "postgres.log", FAST_SETTINGS)
        server.initialise()
        server.start()
        try:
            databases.create_missing(server)
            for name in SERVICES:
                migrate.upgrade(server.url(name, user=name), migrate.configuration(name))
            yield server
        finally:
            server.stop()
