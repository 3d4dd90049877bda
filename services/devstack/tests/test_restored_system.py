"""One service of a system is restored alone: no orphan is left, and what was lost is told."""

import json
from pathlib import Path
from typing import Any, Self

import httpx

from servicekit.testing import wait_until
from tests.support.local_system import System, command, running


class Shop:
    """A user of a system that runs; a context manager."""

    def __init__(self, system: System) -> None:
        """Log in; the user is made when there is none."""
        user = {"username": "Pedro", "password": "Testando-1"}
        httpx.post(f"{system.url}/users/create", json=user)
        login = httpx.post(f"{system.url}/users/login", auth=("Pedro", user["password"]))
        headers = {"Authorization": f"Bearer {login.raise_for_status().json()['token']}"}
        self.http = httpx.Client(base_url=system.url, headers=headers)

    def __enter__(self) -> Self:
        """Stay connected."""
        return self

    def __exit__(self, *_: object) -> None:
        """Go."""
        self.http.close()

    def client(self, cpf: str) -> int:
        """Make a client."""
        body = {"name": "Ana", "email": f"{cpf}@example.com", "cpf": cpf, "balance": 1}
        return int(self.http.post("/clients/create", json=body).raise_for_status().json()["id"])

    def product(self, name: str) -> int:
        """Make a product."""
        body = {"name": name, "description": "", "quantity": 1, "price": 1, "status": True}
        return int(self.http.post("/products/create", json=body).raise_for_status().json()["id"])

    def buys(self, client_id: int, product_id: int) -> None:
        """Let a client buy a product."""
        body = {
            "client_id": client_id,
            "product_id": product_id,
            "number_of_items": 1,
            "purchase_date": "2026-01-01T00:00:00",
        }
        self.http.post("/inventory/add_product", json=body).raise_for_status()

    def bought(self, client_id: int) -> list[int]:
        """Return the products that a client has bought."""
        answer = self.http.get(f"/inventory/list_products_ids/{client_id}").raise_for_status()
        return [entry["product_id"] for entry in answer.json()]


def backed_up(data: Path) -> str:
    """Back up, and return the backup's folder."""
    target = str(data.with_name("backups"))
    done = command("devstack.backup", "--data", str(data), "--to", target)
    assert done.returncode == 0, done.stderr
    return str(done.stdout.strip())


def restored(data: Path, backup: str, *services: str) -> dict[str, Any]:
    """Restore, and return what is told."""
    done = command("devstack.restore", backup, "--data", str(data), *("--services", *services))
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_service_restored_alone_leaves_no_orphan_and_tells_what_was_lost(
    data_folder: Path,
) -> None:
    with running(data_folder) as system, Shop(system) as shop:
        old, gone = shop.client("111.444.777-35"), shop.client("529.982.247-25")
        product = shop.product("Teclado")
        shop.buys(old, product)
        backup = backed_up(data_folder)
        shop.http.delete(f"/clients/delete/{gone}").raise_for_status()
        new, new_product = shop.client("123.456.789-09"), shop.product("Monitor")
        shop.buys(new, product)
        shop.buys(old, new_product)
        refused = command("devstack.restore", backup, "--data", str(data_folder))
        assert refused.returncode == 1
        assert "stop it first" in refused.stderr

    told = restored(data_folder, backup, "clients")
    lost = told["restored"]["clients"]["clients"]
    assert (lost["lost"], lost["back"]) == (1, 1)
    assert told["inventory"]["missing"]["client"] == 1
    assert told["inventory"]["removed_rows"] == 1
    told = restored(data_folder, backup, "products")
    assert told["restored"]["products"]["products"]["lost"] == 1
    assert told["inventory"]["missing"]["product"] == 1
    assert told["inventory"]["removed_rows"] == 1

    with running(data_folder) as system, Shop(system) as shop:
        ids = {row["id"] for row in shop.http.get("/clients/fetch").json()}
        assert {old, gone} <= ids
        assert new not in ids
        assert shop.bought(old) == [product]
        another = shop.client("123.456.789-09")
        assert another > new  # whose purchases would be somebody else's
        assert shop.bought(another) == []


def test_an_inventory_restored_alone_forgets_who_is_gone_and_users_restored_alone_touch_it_not(
    data_folder: Path,
) -> None:
    newcomer = {"username": "Ana", "password": "Testando-2"}
    with running(data_folder) as system, Shop(system) as shop:
        kept, gone = shop.client("111.444.777-35"), shop.client("529.982.247-25")
        product, withdrawn = shop.product("Teclado"), shop.product("Monitor")
        shop.buys(kept, product)
        shop.buys(kept, withdrawn)
        shop.buys(gone, product)
        backup = backed_up(data_folder)
        shop.http.delete(f"/clients/delete/{gone}").raise_for_status()
        shop.http.delete(f"/products/delete/{withdrawn}").raise_for_status()
        wait_until(lambda: shop.bought(gone) == [], "the inventory to forget the client")
        wait_until(lambda: shop.bought(kept) == [product], "the inventory to forget the product")
        shop.buys(kept, shop.product("Mouse"))
        httpx.post(f"{system.url}/users/create", json=newcomer).raise_for_status()

    told = restored(data_folder, backup, "inventory")
    entries = told["restored"]["inventory"]["inventory_items"]
    assert (entries["lost"], entries["back"]) == (1, 2)
    assert told["inventory"]["missing"] == {"client": 1, "product": 1}
    assert told["inventory"]["removed_rows"] == 2
    told = restored(data_folder, backup, "auth")
    users = told["restored"]["auth"]["users"]
    assert (users["lost"], users["back"]) == (1, 0)
    assert told["inventory"]["missing"] == {"client": 0, "product": 0}

    with running(data_folder) as system, Shop(system) as shop:
        assert shop.bought(kept) == [product]
        assert shop.bought(gone) == []
        login = (newcomer["username"], newcomer["password"])
        assert httpx.post(f"{system.url}/users/login", auth=login).status_code == 401
        httpx.post(f"{system.url}/users/create", json=newcomer).raise_for_status()
