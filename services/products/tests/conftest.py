"""The products service with a separate database."""

from collections.abc import Callable, Iterator

import pytest

from products.app import create_app
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
)


@pytest.fixture(scope="session")
def database_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database of products."""
    return migrated_url_factory("products")


@pytest.fixture(scope="session")
def service_url(serve_peer: Callable[..., str], database_url: str) -> str:
    """The URL of the service."""
    return serve_peer(create_app, database_url, INVENTORY_URL="http://127.0.0.1:9")


@pytest.fixture
def api(service_url: str, issuer: FakeIssuer) -> Iterator[ContractClient]:
    """A client with the token of a user."""
    with ContractClient(service_url, CONTRACTS / "products.yaml", "unit", issuer.token()) as client:
        yield client
