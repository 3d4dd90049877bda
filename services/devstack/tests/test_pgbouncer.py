"""Users and purchases through a real PgBouncer, set as docs/scale.md says, on few connections."""

import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import psycopg2
import pytest
from sqlalchemy import text

import auth.app
import clients.app
import inventory.app
import products.app
from auth import keys
from devstack.postgres import SYSTEM_USER, Account
from devstack.service_catalog import ROOT, SERVICES
from devstack.stack import free_ports
from servicekit.db.database import Database
from servicekit.testing import wait_until

CONNECTIONS = 2  # of the server, for the threads of each service
CALLERS, PURCHASES = 8, 40
PASSWORD = "Testando-1"
PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"  # Debian keeps it there
PAGE = (ROOT / "docs" / "scale.md").read_text()
ASKED_FOR = "SELECT name FROM pg_settings WHERE source = 'client' AND name <> 'application_name'"


def code(language: str) -> str:
    """Return the one block of the page in a language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


@pytest.fixture
def direct(migrated_url_factory: Callable[[str], str]) -> dict[str, str]:
    """The URL of each service's database."""
    return {name: migrated_url_factory(name) for name in SERVICES}


@pytest.fixture
def pooled(direct: dict[str, str], data_folder: Path) -> Iterator[dict[str, str]]:
    """The URL of each service's database behind a PgBouncer."""
    if not Path(PROGRAM).is_file():
        pytest.skip("there is no pgbouncer here: apt-get install pgbouncer")
    (port,) = free_ports(1)
    lines = ["[databases]"]
    for name, url in direct.items():
        parts = psycopg2.extensions.parse_dsn(url)
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(code("sql").replace("clients", parts["dbname"]))
        connection.close()
        behind = " ".join(f"{key}={parts[key]}" for key in ("host", "dbname", "user"))
        lines.append(f"{name} = {behind} pool_size={CONNECTIONS}")
    lines += [code("ini"), "listen_addr = 127.0.0.1", f"listen_port = {port}"]
    lines += ["unix_socket_dir =", "auth_type = any"]
    data_folder.mkdir(parents=True)
    file = data_folder / "pgbouncer.ini"
    file.write_text("\n".join([*lines, ""]))
    command = [PROGRAM, *(("-u", SYSTEM_USER) if Account.mine().uid != file.stat().st_uid else ())]
    with (data_folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([*command, str(file)], stdout=log, stderr=log)
    try:
        yield {name: f"postgresql://x@127.0.0.1:{port}/{name}" for name in SERVICES}
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def services(
    pooled: dict[str, str], serve_peer: Callable[..., str], tmp_path: Path
) -> dict[str, str]:
    """All services, each behind the pooler; they trust auth."""
    wait_until(lambda: _answers(pooled["clients"]), "PgBouncer to answer")
    keys.new(tmp_path / "keys")
    told = {"KEYS_DIR": str(tmp_path / "keys"), "OAUTH_CLIENTS_DIR": str(tmp_path)}
    urls = {"auth": serve_peer(auth.app.create_app, pooled["auth"], **told)}
    for name, app in (
        ("clients", clients.app),
        ("products", products.app),
        ("inventory", inventory.app),
    ):
        nobody = "http://127.0.0.1:9"  # whom neither clients nor products call while they answer
        told = {
            "JWKS_URL": f"{urls['auth']}/users/jwks.json",
            "INVENTORY_URL": nobody,
            "CLIENTS_URL": urls.get("clients", nobody),
            "PRODUCTS_URL": urls.get("products", nobody),
        }
        urls[name] = serve_peer(app.create_app, pooled[name], **told)
    return urls


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


def new_purchase(http: httpx.Client, services: dict[str, str]) -> dict[str, object]:
    """Make a client and a product, and return what the one says to buy the other."""
    buyer = {"name": "Ana", "email": "a@example.com", "cpf": "111.444.777-35", "balance": 1}
    goods = {"name": "Teclado", "description": "", "quantity": 1, "price": 1, "status": True}
    return {
        "client_id": made(http, f"{services['clients']}/clients/create", buyer, "client"),
        "product_id": made(http, f"{services['products']}/products/create", goods, "product"),
        "number_of_items": 1,
        "purchase_date": "2026-01-01T00:00:00",
    }


def signed_up(services: dict[str, str], name: str) -> dict[str, str]:
    """Register and log in, and return the header that says so."""
    users = f"{services['auth']}/users"
    user = {"username": name, "password": PASSWORD}
    httpx.post(f"{users}/create", json=user, timeout=30).raise_for_status()
    answer = httpx.post(f"{users}/login", auth=(name, PASSWORD), timeout=30).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_many_sign_up_and_log_in_at_once_and_the_others_know_them(
    services: dict[str, str],
) -> None:
    url = f"{services['clients']}/clients/fetch"

    def fetch(name: str) -> int:
        return httpx.get(url, headers=signed_up(services, name), timeout=30).status_code

    with ThreadPoolExecutor(CALLERS) as callers:
        assert set(callers.map(fetch, (f"Ana {n}" for n in range(CALLERS)))) == {200}


def test_of_those_who_want_one_name_one_gets_it(services: dict[str, str]) -> None:
    user = {"username": "Ana", "password": PASSWORD}

    def create(_: int) -> int:
        return httpx.post(f"{services['auth']}/users/create", json=user, timeout=30).status_code

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = sorted(callers.map(create, range(CALLERS)))
    assert answers == [201, *[409] * (CALLERS - 1)]


def test_who_guesses_is_counted_whichever_connection_serves(services: dict[str, str]) -> None:
    signed_up(services, "Ana")

    def guess(number: int) -> int:
        guessed = ("Ana", f"Testando-{number}x")
        return httpx.post(f"{services['auth']}/users/login", auth=guessed, timeout=30).status_code

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = set(callers.map(guess, range(CALLERS * 2)))
    assert answers == {401, 429}


def test_many_buy_at_once_over_few_connections_and_each_purchase_is_there_once(
    services: dict[str, str],
) -> None:
    headers = signed_up(services, "Ana")
    with httpx.Client(headers=headers, timeout=30) as http, ThreadPoolExecutor(CALLERS) as callers:
        purchase = new_purchase(http, services)
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


def settings(url: str, names: Collection[str] = ()) -> dict[str, str]:
    """Return settings of a service's connection: the named ones, or what it has asked for."""
    with (
        closing(Database(url, connections=1, application="test")) as database,
        database.statement() as connection,
    ):
        wanted = names or connection.scalars(text(ASKED_FOR)).all()
        return {name: str(connection.scalar(text(f"SHOW {name}"))) for name in wanted}


def test_what_a_service_asks_for_as_it_connects_is_the_databases_own_behind_a_pooler(
    services: dict[str, str], direct: dict[str, str], pooled: dict[str, str]
) -> None:
    for name in services:
        asked_for = settings(direct[name])
        assert "statement_timeout" in asked_for
        assert settings(pooled[name], asked_for) == asked_for
