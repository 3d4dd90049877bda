"""The inventory service with a separate database and fake owner services."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from inventory import reconcile
from inventory.app import create_app
from servicekit.db.database import driver_url
from servicekit.telemetry import logs
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
    environment,
    peer_settings,
    serve,
)
from tests.support.inventory.fake_owners import FakeOwner
from tests.support.inventory.inventory_rows import Command, CommandResult, InventoryRows

SERVICE_SCOPE = "inventory:remove"


@pytest.fixture(scope="session")
def clients() -> Iterator[FakeOwner]:
    """The fake clients service."""
    with FakeOwner("clients") as owner:
        yield owner


@pytest.fixture(scope="session")
def products() -> Iterator[FakeOwner]:
    """The fake products service."""
    with FakeOwner("products") as owner:
        yield owner


@pytest.fixture(scope="session")
def database_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database of the inventory."""
    return migrated_url_factory("inventory")


@pytest.fixture(scope="session")
def settings(
    issuer: FakeIssuer,
    database_url: str,
    clients: FakeOwner,
    products: FakeOwner,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """The environment of the service."""
    folder: Path = tmp_path_factory.mktemp("inventory")
    urls = {"CLIENTS_URL": clients.url, "PRODUCTS_URL": products.url}
    return peer_settings(issuer, database_url, folder, **urls)


@pytest.fixture(scope="session")
def service_url(settings: dict[str, str]) -> Iterator[str]:
    """The URL of the service."""
    with environment(**settings):
        app = create_app()
    with serve(app) as url:
        yield url


@pytest.fixture
def api(service_url: str, issuer: FakeIssuer) -> Iterator[ContractClient]:
    """A client with the token of a user."""
    contract = CONTRACTS / "inventory.yaml"
    with ContractClient(service_url, contract, "unit", issuer.token()) as client:
        yield client


@pytest.fixture
def monitor(api: ContractClient, issuer: FakeIssuer) -> Iterator[ContractClient]:
    """A client with the token of a monitor."""
    with api.as_caller(issuer.token(sub="service:synthetic", realm="synthetic")) as client:
        yield client


@pytest.fixture
def relay(api: ContractClient, issuer: FakeIssuer) -> Iterator[ContractClient]:
    """A client with the token of a relay."""
    with api.as_caller(issuer.token(sub="service:clients", scope=SERVICE_SCOPE)) as client:
        yield client


@pytest.fixture(scope="session")
def reconciled_url(migrated_url_factory: Callable[[str], str]) -> str:
    """A migrated database for the tests of the reconciliation."""
    return migrated_url_factory("inventory")


@pytest.fixture
def entries(
    reconciled_url: str, clients: FakeOwner, products: FakeOwner
) -> Iterator[InventoryRows]:
    """The entries of that database, initially empty."""
    engine = create_engine(driver_url(reconciled_url))
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE inventory_items, gone, reconciliation"))
    yield InventoryRows(engine, clients, products)
    engine.dispose()


@pytest.fixture
def run(
    settings: dict[str, str],
    reconciled_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """A function that runs the reconciliation in this process, with arguments and settings."""
    monkeypatch.setattr(logs, "configure", lambda *_: None)  # keep the logging of the tests

    def run(*arguments: str, **changes: str) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["reconcile", *arguments])
        changed = {**settings, "DATABASE_URL": reconciled_url, **changes}
        with environment(**changed), pytest.raises(SystemExit) as end:
            reconcile.main()
        out, err = capsys.readouterr()
        return CommandResult(int(end.value.code or 0), json.loads(out) if out else {}, err)

    return run
