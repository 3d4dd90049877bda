"""The auth service with a separate database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from auth import keys
from servicekit.db.database import driver_url
from servicekit.testing import CONTRACTS, ContractClient
from tests.support.auth.users import run_auth

OAUTH_CLIENTS = ("clients", "products", "inventory", "synthetic")


@pytest.fixture(scope="session")
def database_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database of auth."""
    return migrated_url_factory("auth")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with signing keys and the secrets of OAuth clients."""
    folder = tmp_path_factory.mktemp("auth")
    keys.new(folder / "keys")
    (folder / "oauth").mkdir()
    for name in OAUTH_CLIENTS:
        (folder / "oauth" / name).write_text(f"secret-of-{name}\n")
    return folder


@pytest.fixture(scope="session")
def settings(database_url: str, folder: Path) -> dict[str, str]:
    """The environment of the service."""
    return {
        "DATABASE_URL": database_url,
        "CONTRACTS_DIR": str(CONTRACTS),
        "KEYS_DIR": str(folder / "keys"),
        "OAUTH_CLIENTS_DIR": str(folder / "oauth"),
        "REGISTRATION_LIMIT": "0",  # all tests have one address
    }


@pytest.fixture(scope="session")
def api(settings: dict[str, str]) -> Iterator[ContractClient]:
    """A client without a token, of the service with default settings."""
    yield from run_auth(settings)


@pytest.fixture(scope="session")
def closed_api(settings: dict[str, str]) -> Iterator[ContractClient]:
    """A client of the service with closed registration, on the same database."""
    yield from run_auth(settings, OPEN_REGISTRATION="false")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The database behind the service, without login failures before and after a test."""
    engine = create_engine(driver_url(database_url))
    forget = text("DELETE FROM login_failures")
    with engine.begin() as connection:
        connection.execute(forget)
    yield engine
    with engine.begin() as connection:
        connection.execute(forget)
    engine.dispose()
