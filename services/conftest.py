"""What the tests of every service can ask for."""

from collections.abc import Callable

import pytest

from servicekit import migrate


@pytest.fixture(scope="session")
def migrated_url_factory(postgres_url_factory: Callable[[], str]) -> Callable[[str], str]:
    """Make a database of the service that is named, migrated, and return its URL."""

    def make(service: str) -> str:
        url = postgres_url_factory()
        migrate.upgrade(url, migrate.configuration(service))
        return url

    return make
