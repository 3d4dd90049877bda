"""Restore of one service of a system: the inventory has no orphans, and losses are reported."""

import json
from pathlib import Path
from typing import Any, Self

import httpx

from servicekit.testing import wait_until
from tests.support.local_system import System, command, running


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


def test_restoring_clients_or_products_removes_orphans_and_reports_losses(
    data_folder: Path,
) -> None:
    with running(data_folder) as system, Shop(system) as shop:
        old, deleted = shop.client("111.444.777-35"), shop.client("529.982.247-25")
        product = shop.product("Teclado")
        shop.buy(old, product)
        backup = back_up(data_folder)
        shop.buy(deleted, product)
        shop.http.delete(f"/clients/delete/{deleted}").raise_for_status()
        wait_until(lambda: shop.product_ids(deleted) == [], "the relay to remove the client")
        new, new_product = shop.client("123.456.789-09"), shop.product("Monitor")
        shop.buy(new, product)
        shop.buy(old, new_product)
        refused = command("devstack.restore", backup, "--data", str(data_folder))
        assert refused.returncode == 1
        assert "stop it first" in refused.stderr

    report = restore(data_folder, backup, "clients")
    lost = report["restored"]["clients"]["clients"]
    assert (lost["lost"], lost["back"]) == (1, 1)
    assert report["inventory"]["missing"]["client"] == 1
    assert report["inventory"]["removed_rows"] == 1
    report = restore(data_folder, backup, "products")
    assert report["restored"]["products"]["products"]["lost"] == 1
    assert report["inventory"]["missing"]["product"] == 1
    assert report["inventory"]["removed_rows"] == 1

    with running(data_folder) as system, Shop(system) as shop:
        ids = {row["id"] for row in shop.http.get("/clients/fetch").json()}
        assert {old, deleted} <= ids
        assert new not in ids
        assert shop.product_ids(old) == [product]
        shop.buy(deleted, product)  # the inventory had a tombstone of the restored client
        assert shop.product_ids(deleted) == [product]
        another = shop.client("123.456.789-09")
        assert another > new  # a reused id would inherit purchases
        assert shop.product_ids(another) == []


def test_restoring_the_inventory_removes_entries_of_deleted_clients_and_products(
    data_folder: Path,
) -> None:
    newcomer = {"username": "Ana", "password": "Testando-2"}
    with running(data_folder) as system, Shop(system) as shop:
        kept, deleted = shop.client("111.444.777-35"), shop.client("529.982.247-25")
        product, withdrawn = shop.product("Teclado"), shop.product("Monitor")
        shop.buy(kept, product)
        shop.buy(kept, withdrawn)
        shop.buy(deleted, product)
        backup = back_up(data_folder)
        shop.http.delete(f"/clients/delete/{deleted}").raise_for_status()
        shop.http.delete(f"/products/delete/{withdrawn}").raise_for_status()
        wait_until(lambda: shop.product_ids(deleted) == [], "the relay to remove the client")
        wait_until(lambda: shop.product_ids(kept) == [product], "the relay to remove the product")
        shop.buy(kept, shop.product("Mouse"))
        httpx.post(f"{system.url}/users/create", json=newcomer).raise_for_status()

    report = restore(data_folder, backup, "inventory")
    entries = report["restored"]["inventory"]["inventory_items"]
    assert (entries["lost"], entries["back"]) == (1, 2)
    assert report["inventory"]["missing"] == {"client": 1, "product": 1}
    assert report["inventory"]["removed_rows"] == 2
    report = restore(data_folder, backup, "auth")
    users = report["restored"]["auth"]["users"]
    assert (users["lost"], users["back"]) == (1, 0)
    assert report["inventory"]["missing"] == {"client": 0, "product": 0}

    with running(data_folder) as system, Shop(system) as shop:
        assert shop.product_ids(kept) == [product]
        assert shop.product_ids(deleted) == []
        login = (newcomer["username"], newcomer["password"])
        assert httpx.post(f"{system.url}/users/login", auth=login).status_code == 401
        httpx.post(f"{system.url}/users/create", json=newcomer).raise_for_status()


def test_a_backup_is_restored_into_a_new_folder_without_reusing_ids(data_folder: Path) -> None:
    moved = data_folder.with_name("moved")
    with running(data_folder) as system, Shop(system) as shop:
        buyer, product = shop.client("111.444.777-35"), shop.product("Teclado")
        shop.buy(buyer, product)
        backup = back_up(data_folder)
        lost = shop.client("529.982.247-25")
        lost_product = shop.product("Mouse")
    report = restore(moved, backup)
    assert report["restored"]["clients"]["clients"]["back"] == 1
    assert report["inventory"]["missing"] == {"client": 0, "product": 0}
    with running(moved) as system, Shop(system) as shop:
        assert shop.product_ids(buyer) == [product]
        again, product_again = shop.client("529.982.247-25"), shop.product("Mouse")
        assert again > lost
        assert product_again > lost_product
        shop.buy(again, product_again)
        shop.buy(buyer, product_again)
        assert shop.product_ids(again) == [product_again]
