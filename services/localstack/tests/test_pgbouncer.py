"""A purchase through a real PgBouncer in transaction mode, with fewer connections than callers."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg2
import pytest

import clients.app
import inventory.app
import products.app
from localstack.postgres import SYSTEM_USER, Account
from localstack.stack import free_ports
from servicekit.testing import Issuer, wait_until

NAMES = ("clients", "products", "inventory")
CONNECTIONS = 2  # of the server, for the four threads of each service
CALLERS, PURCHASES = 8, 40
PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"  # Debian keeps it there
# what the services ask for as they connect, and a pooler does not pass on
SETTINGS = {
    "statement_timeout": "5s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",
}


@pytest.fixture
def pooled(
    migrated_url_factory: Callable[[str], str], data_folder: Path
) -> Iterator[dict[str, str]]:
    """The URL of each service's database behind a PgBouncer."""
    if not Path(PROGRAM).is_file():
        pytest.skip("there is no pgbouncer here: apt-get install pgbouncer")
    (port,) = free_ports(1)
    lines = ["[databases]"]
    for name in NAMES:
        url = migrated_url_factory(name)
        parts = psycopg2.extensions.parse_dsn(url)
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            for setting, value in SETTINGS.items():
                cursor.execute(f'ALTER DATABASE "{parts["dbname"]}" SET {setting} = %s', (value,))
        connection.close()
        behind = " ".join(f"{key}={parts[key]}" for key in ("host", "dbname", "user"))
        lines.append(f"{name} = {behind} pool_size={CONNECTIONS}")
    lines += ["[pgbouncer]", "listen_addr = 127.0.0.1", f"listen_port = {port}"]
    lines += ["unix_socket_dir =", "auth_type = any", "pool_mode = transaction"]
    lines += ["ignore_startup_parameters = options"]
    data_folder.mkdir(parents=True)
    file = data_folder / "pgbouncer.ini"
    file.write_text("\n".join([*lines, ""]))
    command = [PROGRAM, *(("-u", SYSTEM_USER) if Account.mine().uid != file.stat().st_uid else ())]
    with (data_folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([*command, str(file)], stdout=log, stderr=log)
    try:
        yield {name: f"postgresql://x@127.0.0.1:{port}/{name}" for name in NAMES}
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def services(pooled: dict[str, str], serve_peer: Callable[..., str]) -> dict[str, str]:
    """The services that a purchase needs, each behind the pooler."""
    wait_until(lambda: _answers(pooled["clients"]), "PgBouncer to answer")
    nobody = "http://127.0.0.1:9"
    urls = {
        name: serve_peer(app.create_app, pooled[name], INVENTORY_URL=nobody)
        for name, app in (("clients", clients.app), ("products", products.app))
    }
    owners = {"CLIENTS_URL": urls["clients"], "PRODUCTS_URL": urls["products"]}
    return {
        **urls,
        "inventory": serve_peer(inventory.app.create_app, pooled["inventory"], **owners),
    }


def _answers(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


def made(http: httpx.Client, url: str, body: dict[str, object], key: str) -> int:
    """Have something made, and return its id."""
    answer = http.post(url, json=body, headers={"Idempotency-Key": key})
    return int(answer.raise_for_status().json()["id"])


def a_purchase(http: httpx.Client, services: dict[str, str]) -> dict[str, object]:
    """Make a client and a product, and return what the one says to buy the other."""
    buyer = {"name": "Ana", "email": "a@example.com", "cpf": "111.444.777-35", "balance": 1}
    goods = {"name": "Teclado", "description": "", "quantity": 1, "price": 1, "status": True}
    return {
        "client_id": made(http, f"{services['clients']}/clients/create", buyer, "client"),
        "product_id": made(http, f"{services['products']}/products/create", goods, "product"),
        "number_of_items": 1,
        "purchase_date": "2026-01-01T00:00:00",
    }


def test_many_buy_at_once_over_few_connections_and_each_purchase_is_there_once(
    services: dict[str, str], issuer: Issuer
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with httpx.Client(headers=headers, timeout=30) as http, ThreadPoolExecutor(CALLERS) as callers:
        purchase = a_purchase(http, services)
        inventory_url = f"{services['inventory']}/inventory"

        def buy(number: int) -> int:
            first, again = (
                made(http, f"{inventory_url}/add_product", purchase, f"purchase-{number}")
                for _ in range(2)
            )
            assert again == first
            return first

        bought = set(callers.map(buy, range(PURCHASES)))
        listed = http.get(f"{inventory_url}/list_products_ids/{purchase['client_id']}").json()
    assert {entry["id"] for entry in listed} == bought
    assert len(bought) == PURCHASES


def test_what_a_service_asks_for_as_it_connects_is_the_databases_own_behind_a_pooler(
    services: dict[str, str], pooled: dict[str, str]
) -> None:
    assert services.keys() == pooled.keys()
    for url in pooled.values():
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            for setting, value in SETTINGS.items():
                cursor.execute(f"SHOW {setting}")
                assert cursor.fetchone() == (value,)
        connection.close()
