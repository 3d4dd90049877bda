"""The contracts as a whole system serves them: who may call what, and a short `make fuzz`."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from devstack.pytest_postgres import open_folder
from devstack.service_catalog import SERVICES
from servicekit.openapi.specification import load_contract, operations
from servicekit.testing import CONTRACTS, ContractClient
from tests.support.local_system import System, running

ROOT = Path(__file__).parents[2]
EXAMPLES = ("--examples", "3")  # an operation; `make fuzz` takes a thousand
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
HEADLESS = (
    "--headless",
    "--no-sandbox",  # it is given our own pages alone
    "--disable-gpu",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",  # milliseconds, for the page to settle
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
NOBODY = "9223372036854775807"  # an id that is not given soon

OPEN = {
    "users.create",
    "users.create.alias",
    "users.health",
    "users.health.alias",
    "users.jwks",
    "clients.health",
    "products.health",
    "inventory.health",
}
BASIC = {"users.login", "users.login.alias", "users.token"}


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """A whole system, with auth's own tokens and the ingress before it."""
    with open_folder() as folder, running(folder / "data") as system:
        yield system


def secret_file(system: System, client: str) -> Path:
    """Return where an OAuth client's secret is."""
    path: Path = system.data / "secrets" / "oauth-clients" / client
    return path


def service_token(system: System, client: str) -> str:
    """Return a service's token."""
    answer = httpx.post(
        f"{system.url}/users/token",
        data={"grant_type": "client_credentials"},
        auth=(client, secret_file(system, client).read_text()),
    )
    token: str = answer.raise_for_status().json()["access_token"]
    return token


def user_token(system: System) -> str:
    """Return a new user's token."""
    name, password = str(uuid4()), "Testando"
    body = {"username": name, "password": password}
    httpx.post(f"{system.url}/users/create", json=body).raise_for_status()
    answer = httpx.post(f"{system.url}/users/login", auth=(name, password))
    token: str = answer.raise_for_status().json()["token"]
    return token


def test_every_operation_asks_for_a_token_with_its_scope_but_those_that_are_open(
    system: System,
) -> None:
    user = user_token(system)
    others = {
        "inventory:remove": service_token(system, "clients"),
        "clients:exists": service_token(system, "inventory"),
    }
    walked = set()
    for service in SERVICES:
        path = CONTRACTS / f"{service}.yaml"
        with ContractClient(system.url, path, "unit") as api:
            for where, method, operation in operations(load_contract(path)):
                name = operation["operationId"]
                walked.add(name)
                place = where.partition("{")[0] + NOBODY * ("{" in where)
                asked = str(operation["security"])
                wrong = next(token for scope, token in others.items() if scope not in asked)
                seen = [
                    api.request(method, place, headers=headers).status_code
                    for headers in ({}, bearer(wrong), bearer(user))
                ]
                if name in OPEN:
                    assert seen[0] not in {401, 403}, name
                elif name in BASIC:
                    assert seen == [401, 401, 401], name
                else:
                    assert seen[:2] == [401, 403], name
                    assert seen[2] not in {401, 403}, name
    assert walked >= OPEN | BASIC


@pytest.mark.parametrize("path", ["/", "/nothing", "/usersX", "/-/ready", "/metrics"])
def test_a_path_that_no_service_has_is_a_problem_like_any_other(system: System, path: str) -> None:
    for answer in (httpx.get(system.url + path), httpx.post(system.url + path, json={})):
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["msg"] == answer.json()["detail"]


def test_what_is_served_keeps_its_contracts(system: System) -> None:
    secret = secret_file(system, "synthetic")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz",
            "--url",
            system.url,
            "--secret-file",
            secret,
            *EXAMPLES,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert done.stdout.count("SUMMARY") == len(SERVICES)


@pytest.mark.skipif(BROWSER is None, reason="there is no chromium on this machine")
@pytest.mark.parametrize("service", SERVICES)
def test_a_browser_without_the_internet_shows_every_operation(
    system: System, service: str, tmp_path: Path
) -> None:
    prefix = "users" if service == "auth" else service
    url = f"{system.url}/{prefix}/docs/"
    done = subprocess.run(
        [str(BROWSER), *HEADLESS, f"--user-data-dir={tmp_path}", "--dump-dom", url],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    contract = load_contract(CONTRACTS / f"{service}.yaml")
    shown = re.findall(
        r'class="opblock-summary-path(?:__deprecated)?" data-path="(.+?)"', done.stdout
    )
    assert sorted(shown) == sorted(path for path, _, _ in operations(contract))
    assert "CONSOLE" not in done.stderr  # where the browser tells what the page's policy refuses


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
