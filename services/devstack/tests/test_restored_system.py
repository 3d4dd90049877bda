"""Restore of one service of a system: the inventory has no orphans, and losses are reported."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from devstack.data_folder import DataFolder
from devstack.pytest_postgres import traversable_folder
from devstack.restore import restore as load_and_swap
from servicekit.testing import wait_until
from tests.support.local_system import System, command, running

pytestmark = pytest.mark.long


class Shop:
    """A user of a running system; a context manager."""

    def __init__(self, system: System) -> None:
        """Log in, and create the user if it is missing."""
        user = {"username": "Pedro", "password": "Testando-1"}
        httpx.post(f"{system.url}/users/create", json=user)
        login = httpx.post(f"{system.url}/users/login", auth=("Pedro", user["password"]))
        headers = {"Authorization": f"Bearer {login.raise_for_status().json()['token']}"}
        self.http = httpx.Client(base_url=system.url, headers=headers)

    def __enter__(self) -> Self:
        """Return the shop."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.http.close()

    def client(self, cpf: str) -> int:
        """Create a client."""
        body = {"name": "Ana", "email": f"{cpf}@example.com", "cpf": cpf, "balance": 1}
        return int(self.http.post("/clients/create", json=body).raise_for_status().json()["id"])

    def product(self, name: str) -> int:
        """Create a product."""
        body = {"name": name, "description": "", "quantity": 1, "price": 1, "status": True}
        return int(self.http.post("/products/create", json=body).raise_for_status().json()["id"])

    def buy(self, client_id: int, product_id: int) -> None:
        """Add a product to the inventory of a client."""
        body = {
            "client_id": client_id,
            "product_id": product_id,
            "number_of_items": 1,
            "purchase_date": "2026-01-01T00:00:00",
        }
        self.http.post("/inventory/add_product", json=body).raise_for_status()

    def product_ids(self, client_id: int) -> list[int]:
        """Return the products in the inventory of a client."""
        answer = self.http.get(f"/inventory/list_products_ids/{client_id}").raise_for_status()
        return [entry["product_id"] for entry in answer.json()]


def back_up(data: Path) -> str:
    """Back up, and return the folder of the backup."""
    target = str(data.with_name("backups"))
    done = command("devstack.backup", "--data", str(data), "--to", target)
    assert done.returncode == 0, done.stderr
    return str(done.stdout.strip())


def restore(data: Path, backup: str, *services: str) -> dict[str, Any]:
    """Restore, and return the report."""
    chosen = ("--services", *services) if services else ()
    done = command("devstack.restore", backup, "--data", str(data), *chosen)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@dataclass(frozen=True)
class Past:
    """The data folder of a stopped system, its backup, and the rows of both."""

    data: Path
    backup: str
    kept: int  # a client
    deleted: int  # a client, deleted since the backup
    new: int  # a client, created since the backup
    product: int
    withdrawn: int  # a product, deleted since the backup
    new_product: int  # created since the backup
    newcomer: dict[str, str]  # a user, created since the backup

    def copy(self, name: str) -> Path:
        """Return a copy of the data folder."""
        target = self.data.with_name(name)
        subprocess.run(["cp", "-a", str(self.data), str(target)], check=True)  # noqa: S607 - the system's
        return target


@pytest.fixture(scope="module")
def past() -> Iterator[Past]:
    """A system that was backed up, then changed, then stopped."""
    newcomer = {"username": "Ana", "password": "Testando-2"}
    with traversable_folder() as folder:
        data = folder / "data"
        with running(data) as system, Shop(system) as shop:
            kept, deleted = shop.client("111.444.777-35"), shop.client("529.982.247-25")
            product, withdrawn = shop.product("Teclado"), shop.product("Monitor")
            shop.buy(kept, product)
            shop.buy(kept, withdrawn)
            shop.buy(deleted, product)
            backup = back_up(data)
            shop.http.delete(f"/clients/delete/{deleted}").raise_for_status()
            shop.http.delete(f"/products/delete/{withdrawn}").raise_for_status()
            wait_until(lambda: shop.product_ids(deleted) == [], "the relay to remove the client")
            wait_until(lambda: shop.product_ids(kept) == [product], "the relay's other removal")
            new, new_product = shop.client("123.456.789-09"), shop.product("Mouse")
            shop.buy(new, product)
            shop.buy(kept, new_product)
            httpx.post(f"{system.url}/users/create", json=newcomer).raise_for_status()
        rows = (kept, deleted, new, product, withdrawn, new_product)
        yield Past(data, backup, *rows, newcomer)


def test_restoring_clients_and_products_removes_orphans_and_reports_losses(past: Past) -> None:
    data = past.copy("clients-and-products")
    report = restore(data, past.backup, "clients")
    clients = report["restored"]["clients"]["clients"]
    assert (clients["lost"], clients["back"]) == (1, 1)
    assert report["inventory"]["missing"]["client"] == 1
    assert report["inventory"]["removed_rows"] == 1
    report = restore(data, past.backup, "products")
    products = report["restored"]["products"]["products"]
    assert (products["lost"], products["back"]) == (1, 1)
    assert report["inventory"]["missing"]["product"] == 1
    assert report["inventory"]["removed_rows"] == 1

    with running(data) as system, Shop(system) as shop:
        ids = {row["id"] for row in shop.http.get("/clients/fetch").json()}
        assert {past.kept, past.deleted} <= ids
        assert past.new not in ids
        assert shop.product_ids(past.kept) == [past.product]
        shop.buy(past.deleted, past.product)  # the inventory has tombstones of both restored rows
        shop.buy(past.deleted, past.withdrawn)
        assert set(shop.product_ids(past.deleted)) == {past.product, past.withdrawn}
        another = shop.client("123.456.789-09")
        assert another > past.new  # a reused id would inherit purchases
        assert shop.product_ids(another) == []


def test_restoring_the_inventory_removes_entries_of_deleted_clients_and_products(
    past: Past,
) -> None:
    data = past.copy("inventory-and-auth")
    report = restore(data, past.backup, "inventory")
    entries = report["restored"]["inventory"]["inventory_items"]
    assert (entries["lost"], entries["back"]) == (2, 2)
    assert report["inventory"]["missing"] == {"client": 1, "product": 1}
    assert report["inventory"]["removed_rows"] == 2
    report = restore(data, past.backup, "auth")
    users = report["restored"]["auth"]["users"]
    assert (users["lost"], users["back"]) == (1, 0)
    assert report["inventory"]["missing"] == {"client": 0, "product": 0}

    with running(data) as system, Shop(system) as shop:
        assert shop.product_ids(past.kept) == [past.product]
        assert shop.product_ids(past.deleted) == []
        login = (past.newcomer["username"], past.newcomer["password"])
        assert httpx.post(f"{system.url}/users/login", auth=login).status_code == 401
        httpx.post(f"{system.url}/users/create", json=past.newcomer).raise_for_status()


def test_a_backup_is_restored_into_a_new_folder_without_reusing_ids(past: Past) -> None:
    moved = past.data.with_name("moved")
    report = restore(moved, past.backup)
    assert report["restored"]["clients"]["clients"]["back"] == 2
    assert report["inventory"]["missing"] == {"client": 0, "product": 0}
    with running(moved) as system, Shop(system) as shop:
        refused = command("devstack.restore", past.backup, "--data", str(moved))
        assert refused.returncode == 1
        assert "stop it first" in refused.stderr
        assert set(shop.product_ids(past.kept)) == {past.product, past.withdrawn}
        again, product_again = shop.client("123.456.789-09"), shop.product("Mouse")
        assert again > past.new
        assert product_again > past.new_product
        shop.buy(again, product_again)
        shop.buy(past.kept, product_again)
        assert shop.product_ids(again) == [product_again]


def test_the_next_start_completes_a_restore_that_was_killed_before_its_last_step(
    past: Past,
) -> None:
    folder = DataFolder(past.copy("killed-restore"))
    load_and_swap(folder, Path(past.backup), ("clients",))  # without the reconciliation
    assert folder.unreconciled.exists()
    with running(folder.path) as system, Shop(system) as shop:
        assert "completing a restore that was interrupted" in system.output
        shop.buy(past.deleted, past.product)  # the inventory had a tombstone of the client
        assert shop.product_ids(past.deleted) == [past.product]
    assert not folder.unreconciled.exists()
