"""Users and purchases through PgBouncer with few connections, configured as in docs/scale.md."""

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
from devstack.service_catalog import ROOT, SERVICES
from devstack.system_account import SYSTEM_USER, Account
from servicekit.db.database import Database
from servicekit.testing import wait_until
from tests.support.ports import free_port

CONNECTIONS = 2  # to the server, for each service
CALLERS, PURCHASES = 8, 40
PASSWORD = "Testando-1"
PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"  # its path on Debian
PAGE = (ROOT / "docs" / "scale.md").read_text()
CLIENT_SETTINGS = (
    "SELECT name FROM pg_settings WHERE source = 'client' AND name <> 'application_name'"
)


def code(language: str) -> str:
    """Return the only code block of docs/scale.md in a language."""
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
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    port = free_port()
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
    command = [
        PROGRAM,
        *(("-u", SYSTEM_USER) if Account.current().uid != file.stat().st_uid else ()),
    ]
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
    """The URL of each service, with its database behind PgBouncer."""
    wait_until(lambda: _is_ready(pooled["clients"]), "PgBouncer to start")
    keys.new(tmp_path / "keys")
    settings = {"KEYS_DIR": str(tmp_path / "keys"), "OAUTH_CLIENTS_DIR": str(tmp_path)}
    # one address may use a quarter of the threads for registrations
    more = {**settings, "THREADS": str(6 * CALLERS)}
    urls = {"auth": serve_peer(auth.app.create_app, pooled["auth"], **more)}
    for name, app in (
        ("clients", clients.app),
        ("products", products.app),
        ("inventory", inventory.app),
    ):
        unused = "http://127.0.0.1:9"  # called by relays only
        settings = {
            "JWKS_URL": f"{urls['auth']}/users/jwks.json",
            "INVENTORY_URL": unused,
            "CLIENTS_URL": urls.get("clients", unused),
            "PRODUCTS_URL": urls.get("products", unused),
        }
        urls[name] = serve_peer(app.create_app, pooled[name], **settings)
    return urls


def _is_ready(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


def create(http: httpx.Client, url: str, body: dict[str, object], key: str) -> int:
    """Create an object, and return its id."""
    answer = http.post(url, json=body, headers={"Idempotency-Key": key})
    return int(answer.raise_for_status().json()["id"])


def new_purchase(http: httpx.Client, services: dict[str, str]) -> dict[str, object]:
    """Create a client and a product, and return the body of a purchase."""
    buyer = {"name": "Ana", "email": "a@example.com", "cpf": "111.444.777-35", "balance": 1}
    goods = {"name": "Teclado", "description": "", "quantity": 1, "price": 1, "status": True}
    return {
        "client_id": create(http, f"{services['clients']}/clients/create", buyer, "client"),
        "product_id": create(http, f"{services['products']}/products/create", goods, "product"),
        "number_of_items": 1,
        "purchase_date": "2026-01-01T00:00:00",
    }


def sign_up(services: dict[str, str], name: str) -> dict[str, str]:
    """Create a user, log in, and return the authorization header."""
    users = f"{services['auth']}/users"
    user = {"username": name, "password": PASSWORD}
    httpx.post(f"{users}/create", json=user, timeout=30).raise_for_status()
    answer = httpx.post(f"{users}/login", auth=(name, PASSWORD), timeout=30).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_concurrent_users_sign_up_and_use_another_service(
    services: dict[str, str],
) -> None:
    url = f"{services['clients']}/clients/fetch"

    def fetch(name: str) -> int:
        return httpx.get(url, headers=sign_up(services, name), timeout=30).status_code

    with ThreadPoolExecutor(CALLERS) as callers:
        assert set(callers.map(fetch, (f"Ana {n}" for n in range(CALLERS)))) == {200}


def test_concurrent_requests_create_one_user_of_a_name(services: dict[str, str]) -> None:
    user = {"username": "Ana", "password": PASSWORD}

    def create(_: int) -> int:
        return httpx.post(f"{services['auth']}/users/create", json=user, timeout=30).status_code

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = sorted(callers.map(create, range(CALLERS)))
    assert answers == [201, *[409] * (CALLERS - 1)]


def test_login_failures_are_counted_across_connections(services: dict[str, str]) -> None:
    sign_up(services, "Ana")

    def guess(number: int) -> int:
        guessed = ("Ana", f"Testando-{number}x")
        return httpx.post(f"{services['auth']}/users/login", auth=guessed, timeout=30).status_code

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = set(callers.map(guess, range(CALLERS * 2)))
    assert answers == {401, 429}


def test_concurrent_purchases_over_few_connections_are_stored_once(
    services: dict[str, str],
) -> None:
    headers = sign_up(services, "Ana")
    with httpx.Client(headers=headers, timeout=30) as http, ThreadPoolExecutor(CALLERS) as callers:
        purchase = new_purchase(http, services)
        inventory_url = f"{services['inventory']}/inventory"

        def buy(number: int) -> int:
            first, again = (
                create(http, f"{inventory_url}/add_product", purchase, f"purchase-{number}")
                for _ in range(2)
            )
            assert again == first
            return first

        bought = set(callers.map(buy, range(PURCHASES)))
        listed = http.get(f"{inventory_url}/list_products_ids/{purchase['client_id']}").json()
    assert {entry["id"] for entry in listed} == bought
    assert len(bought) == PURCHASES


def settings(url: str, names: Collection[str] = ()) -> dict[str, str]:
    """Return the named settings of a connection, or those that the client has set."""
    with (
        closing(Database(url, connections=1, application="test")) as database,
        database.autocommit() as connection,
    ):
        selected = names or connection.scalars(text(CLIENT_SETTINGS)).all()
        return {name: str(connection.scalar(text(f"SHOW {name}"))) for name in selected}


def test_databases_behind_the_pooler_have_the_settings_of_the_services(
    services: dict[str, str], direct: dict[str, str], pooled: dict[str, str]
) -> None:
    for name in services:
        expected = settings(direct[name])
        assert "statement_timeout" in expected
        assert settings(pooled[name], expected) == expected
