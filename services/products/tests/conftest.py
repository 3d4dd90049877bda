"""The products service on a database of its own, called over HTTP."""

from collections.abc import Callable, Iterator

import pytest

from products.app import create_app
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    Issuer,
    environment,
    peer_settings,
    serve,
)


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """Whose tokens the service accepts."""
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="session")
def database_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database of products."""
    return migrated_url_factory("products")


@pytest.fixture(scope="session")
def service_url(
    issuer: Issuer, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The service."""
    folder = tmp_path_factory.mktemp("products")
    settings = peer_settings(issuer, database_url, folder, INVENTORY_URL="http://127.0.0.1:9")
    with environment(**settings):
        app = create_app()
    with serve(app) as url:
        yield url


@pytest.fixture
def api(service_url: str, issuer: Issuer) -> Iterator[ContractClient]:
    """The service as a user sees it."""
    with ContractClient(service_url, CONTRACTS / "products.yaml", "unit", issuer.token()) as client:
        yield client
