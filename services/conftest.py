"""What the tests of every service can ask for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from servicekit.db import migrate
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.testing import FakeIssuer, environment, peer_settings, serve


class ServePeer(Protocol):
    """Serves an application that trusts the issuer, on a database; returns its URL."""

    def __call__(self, create_app: Callable[[], WsgiBridge], database_url: str, **more: str) -> str:
        """Serve it, with ``more`` in its environment, until the tests end."""


@pytest.fixture(scope="session")
def migrated_url_factory(postgres_url_factory: Callable[[], str]) -> Callable[[str], str]:
    """Make a database of the service that is named, migrated, and return its URL."""

    def make(service: str) -> str:
        url = postgres_url_factory()
        migrate.upgrade(url, migrate.configuration(service))
        return url

    return make


@pytest.fixture(scope="session")
def issuer() -> Iterator[FakeIssuer]:
    """Whose tokens the services accept."""
    with FakeIssuer() as issuer:
        yield issuer


@pytest.fixture(scope="session")
def serve_peer(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServePeer]:
    """Serve any service but auth on a database, until the tests end."""
    with ExitStack() as running:

        def make(create_app: Callable[[], WsgiBridge], database_url: str, **more: str) -> str:
            folder = tmp_path_factory.mktemp("peer")
            with environment(**peer_settings(issuer, database_url, folder, **more)):
                app = create_app()
            return running.enter_context(serve(app))

        yield make
