"""Restore of the databases of a system that runs: its users read the earlier state."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from servicekit.testing import wait_until
from tests.support.local_system import running
from tests.support.shop import Shop

pytestmark = pytest.mark.long


def run(server: Postgres, command: str, place: Path) -> None:
    """Run a command of backups on a server."""
    subprocess.run(
        [sys.executable, "-m", "devstack.cluster", command, str(place)],
        env={**os.environ, "DATABASE_URL": server.url("postgres")},
        check=True,
        capture_output=True,
    )


def test_users_read_the_restored_state_and_no_id_is_issued_twice(
    data_folder: Path, tmp_path: Path
) -> None:
    folder = DataFolder(data_folder)
    server = Postgres(folder.postgres, folder.logs / "postgres.log")
    with running(data_folder) as system, Shop(system.url) as shop:
        kept, deleted = shop.create_client(), shop.create_client()
        product = shop.create_product(500)
        shop.buy(kept, product, 5)
        shop.buy(deleted, product, 7)
        run(server, "backup", tmp_path / "sets")
        shop.delete_client(deleted)
        lost, lost_product = shop.create_client(), shop.create_product(1)
        shop.buy(lost, lost_product, 1)
        run(server, "restore", tmp_path / "sets")
        # the first requests may find a connection that the restore has ended
        wait_until(lambda: shop.has_client(kept), "the clients service to reconnect")
        wait_until(lambda: shop.is_available(kept), "the other services to reconnect")
        assert shop.has_client(deleted)
        assert not shop.has_client(lost)
        assert shop.product(product)["quantity"] == 500
        assert shop.purchases(kept) == [(product, 5)]
        assert shop.purchases(deleted) == [(product, 7)]
        client = shop.create_client()
        assert client > lost
        assert shop.create_product(1) > lost_product
        assert shop.purchases(client) == []
        shop.buy(client, product, 1)
        assert shop.purchases(client) == [(product, 1)]
