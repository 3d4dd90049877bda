"""The clients service with a separate database."""

from collections.abc import Callable, Iterator

import pytest

from clients.app import create_app
from servicekit.db.database import Database
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
)

UNUSED_URL = "http://127.0.0.1:9"


@pytest.fixture(scope="session")
def database_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database of clients."""
    return migrated_url_factory("clients")


@pytest.fixture
def own_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database that no other test uses."""
    return migrated_url_factory("clients")


@pytest.fixture(scope="session")
def service_url(serve_peer: Callable[..., str], database_url: str) -> str:
    """The URL of the service with default settings."""
    return serve_peer(create_app, database_url, INVENTORY_URL=UNUSED_URL)


@pytest.fixture(scope="session")
def lenient_url(serve_peer: Callable[..., str], database_url: str) -> str:
    """The URL of the service with ``VALIDATION=format``, on the same database."""
    return serve_peer(create_app, database_url, INVENTORY_URL=UNUSED_URL, VALIDATION="format")


@pytest.fixture
def api(service_url: str, issuer: FakeIssuer) -> Iterator[ContractClient]:
    """A client with the token of a user."""
    with ContractClient(service_url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as client:
        yield client


@pytest.fixture
def lenient_api(lenient_url: str, issuer: FakeIssuer) -> Iterator[ContractClient]:
    """A client of the lenient service with the token of a user."""
    with ContractClient(lenient_url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as client:
        yield client


@pytest.fixture
def outbox(own_url: str) -> Iterator[Database]:
    """An empty outbox."""
    database = Database(own_url, connections=4, application="tests")
    yield database
    database.close()
