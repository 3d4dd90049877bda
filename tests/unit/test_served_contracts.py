"""Tests of the contracts that a whole system serves: authorization, errors, docs, short fuzzing."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from devstack.pytest_postgres import traversable_folder
from devstack.service_catalog import SERVICES
from servicekit.openapi.contract import load_contract, operations
from servicekit.testing import CONTRACTS, ContractClient
from tests.support.accounts import create_user, log_in
from tests.support.local_system import System, running

ROOT = Path(__file__).parents[2]
EXAMPLES = ("--examples", "3")  # for each operation; `make fuzz` uses a thousand
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
HEADLESS = (
    "--headless",
    "--no-sandbox",  # it opens the project's pages only
    "--disable-gpu",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",  # milliseconds, for the page to settle
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
MISSING_ID = "9223372036854775807"

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
    """A whole system with an ingress and tokens of auth."""
    with traversable_folder() as folder, running(folder / "data") as system:
        yield system


def secret_file(system: System, client: str) -> Path:
    """Return the path of the secret of an OAuth client."""
    path: Path = system.data / "secrets" / "oauth-clients" / client
    return path


def service_token(system: System, client: str) -> str:
    """Return a service's token."""
    response = httpx.post(
        f"{system.url}/users/token",
        data={"grant_type": "client_credentials"},
        auth=(client, secret_file(system, client).read_text()),
    )
    token: str = response.raise_for_status().json()["access_token"]
    return token


def user_token(system: System) -> str:
    """Return the token of a new user."""
    token = log_in(system.url, create_user(system.url, "contracts"))
    assert token is not None
    return token


def test_every_operation_requires_its_scope_except_the_open_ones(
    system: System,
) -> None:
    user = user_token(system)
    service_tokens = {
        "inventory:remove": service_token(system, "clients"),
        "clients:exists": service_token(system, "inventory"),
    }
    visited = set()
    for service in SERVICES:
        path = CONTRACTS / f"{service}.yaml"
        with ContractClient(system.url, path, "unit") as api:
            for path_template, method, operation in operations(load_contract(path)):
                name = operation["operationId"]
                visited.add(name)
                url = path_template.partition("{")[0] + MISSING_ID * ("{" in path_template)
                security = str(operation["security"])
                wrong = next(
                    token for scope, token in service_tokens.items() if scope not in security
                )
                statuses = [
                    api.request(method, url, headers=headers).status_code
                    for headers in ({}, bearer(wrong), bearer(user))
                ]
                if name in OPEN:
                    assert statuses[0] not in {401, 403}, name
                elif name in BASIC:
                    assert statuses == [401, 401, 401], name
                else:
                    assert statuses[:2] == [401, 403], name
                    assert statuses[2] not in {401, 403}, name
    assert visited >= OPEN | BASIC


@pytest.mark.parametrize("path", ["/", "/nothing", "/usersX", "/-/ready", "/metrics"])
def test_an_unknown_path_returns_a_problem_document(system: System, path: str) -> None:
    for response in (httpx.get(system.url + path), httpx.post(system.url + path, json={})):
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["msg"] == response.json()["detail"]


@pytest.mark.long
def test_the_served_contracts_pass_a_short_fuzzing(system: System) -> None:
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


@pytest.mark.long
@pytest.mark.skipif(BROWSER is None, reason="there is no chromium on this machine")
@pytest.mark.parametrize("service", SERVICES)
def test_the_docs_page_shows_every_operation_without_internet_access(
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
    assert "CONSOLE" not in done.stderr  # the browser logs violations of the page's policy there


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
