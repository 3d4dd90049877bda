"""The clients service on a database of its own, called over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clients.app import create_app
from servicekit.database import Database
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
    """A migrated database of clients."""
    return migrated_url_factory("clients")


@pytest.fixture
def own_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database that no other test uses."""
    return migrated_url_factory("clients")


@pytest.fixture(scope="session")
def service_url(
    issuer: Issuer, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The service, with the settings that it has by default."""
    yield from _service(issuer, database_url, tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="session")
def lenient_url(
    issuer: Issuer, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The service under ``VALIDATION=format``, on the same database."""
    folder = tmp_path_factory.mktemp("lenient")
    yield from _service(issuer, database_url, folder, VALIDATION="format")


@pytest.fixture
def api(service_url: str, issuer: Issuer) -> Iterator[ContractClient]:
    """The service as a user sees it."""
    with ContractClient(service_url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as client:
        yield client


@pytest.fixture
def lenient_api(lenient_url: str, issuer: Issuer) -> Iterator[ContractClient]:
    """The lenient service as a user sees it."""
    with ContractClient(lenient_url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as client:
        yield client


def _service(issuer: Issuer, database_url: str, folder: Path, **more: str) -> Iterator[str]:
    settings = peer_settings(
        issuer, database_url, folder, INVENTORY_URL="http://127.0.0.1:9", **more
    )
    with environment(**settings):
        app = create_app()
    with serve(app) as url:
        yield url


@pytest.fixture
def outbox(own_url: str) -> Iterator[Database]:
    """An empty outbox."""
    database = Database(own_url, connections=4, application="tests")
    yield database
    database.close()
