"""Fixtures for the tests of every service."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from servicekit.db import migrate
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.testing import FakeIssuer, environment, peer_settings, serve


class ServePeer(Protocol):
    """Serves an application that trusts the issuer, and returns its URL."""

    def __call__(self, create_app: Callable[[], WsgiBridge], database_url: str, **more: str) -> str:
        """Serve it with ``more`` environment variables until the test session ends."""


@pytest.fixture(scope="session")
def migrated_url_factory(postgres_url_factory: Callable[..., str]) -> Callable[[str], str]:
    """Return a function that creates a migrated database for a service and returns its URL.

    Each is a copy of one that was migrated: the migrations take several times as long.
    """
    migrated: dict[str, str] = {}

    def make(service: str) -> str:
        if service not in migrated:
            migrated[service] = postgres_url_factory()
            migrate.upgrade(migrated[service], migrate.configuration(service))
        return postgres_url_factory(migrated[service])

    return make


@pytest.fixture(scope="session")
def issuer() -> Iterator[FakeIssuer]:
    """The issuer whose tokens the services accept."""
    with FakeIssuer() as issuer:
        yield issuer


@pytest.fixture(scope="session")
def serve_peer(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServePeer]:
    """Return a function that serves any service except auth until the test session ends."""
    with ExitStack() as running:

        def make(create_app: Callable[[], WsgiBridge], database_url: str, **more: str) -> str:
            folder = tmp_path_factory.mktemp("peer")
            with environment(**peer_settings(issuer, database_url, folder, **more)):
                app = create_app()
            return running.enter_context(serve(app))

        yield make
