"""Journeys against the local system: shipped, newly written, and ended by a signal at a step."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.data_folder import DataFolder
from devstack.pytest_postgres import traversable_folder
from servicekit.testing import record, wait_until
from synthetic.probe.catalog import contracts_folder, journey_names, workflow_names
from synthetic.probe.credentials import read_credentials
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from synthetic.probe.runner import Limits
from tests.support.local_system import System, running
from tests.support.synthetic.interrupting_proxy import interrupting_proxy
from tests.support.synthetic.object_api import synthetic
from tests.support.synthetic_rows import SyntheticRows

pytestmark = pytest.mark.slow  # a whole system starts

PROGRAM = Path(sys.executable).with_name("synthetic")
PATIENCE = 120  # seconds; other tests may run in parallel
INTERRUPTED = ("clients-health", "login", "clients-crud", "products-crud", "inventory-purchase")
CLIENT = {"name": "Ana", "email": "ana@example.com", "cpf": "529.982.247-25", "balance": 1}
PRODUCT = {"name": "Monitor", "description": "", "quantity": 1, "price": 1, "status": True}
NOTHING = {"users": 0, "clients": 0, "addresses": 0, "products": 0, "inventory_items": 0}


@dataclass(frozen=True)
class Site:
    """A local system that contains data of a live client."""

    system: System
    folder: DataFolder
    leftovers: SyntheticRows
    live: dict[str, int]

    def replay(self, journey: str, file: Path | None = None) -> RunResult:
        """Replay a journey, and record the statuses for contract coverage."""
        credentials = read_credentials(self.folder.monitor)
        limits = Limits(timeout=PATIENCE)
        outcome = replay(journey, self.system.url, credentials, limits, file=file)
        for step in outcome.steps:
            if step.step_id != "token":
                record("monitor", step.operation_id, step.status)
        return outcome

    def left(self) -> dict[str, int]:
        """Return the number of rows of monitors by table, without users: a purge deletes these."""
        return self.leftovers.count("synthetic") | {"users": 0}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One system for all tests of the module: a start takes seconds."""
    with traversable_folder() as below, running(below / "data") as system:
        sell_to_a_live_client(system.url)
        folder = DataFolder(below / "data")
        leftovers = SyntheticRows(folder)
        yield Site(system, folder, leftovers, leftovers.count("live"))


def sell_to_a_live_client(url: str) -> None:
    """Create data that no monitor may change."""
    user = {"username": "Arthur", "password": "Testando"}
    with httpx.Client(base_url=url) as http:
        http.post("/users/create", json=user).raise_for_status()
        login = http.post("/users/login", auth=("Arthur", "Testando"))
        http.headers["Authorization"] = f"Bearer {login.json()['token']}"
        client_id = http.post("/clients/create", json=CLIENT).json()["id"]
        product_id = http.post("/products/create", json=PRODUCT).json()["id"]
        bought = {
            "client_id": client_id,
            "product_id": product_id,
            "number_of_items": 1,
            "purchase_date": "2024-11-01T10:30:00",
        }
        http.post("/inventory/add_product", json=bought).raise_for_status()


def test_shipped_journeys_pass_and_leave_only_users(site: Site) -> None:
    for name in journey_names():
        outcome = site.replay(name)
        assert (outcome.result, outcome.attempt) == ("passed", 1), (name, outcome.detail)
    left = site.leftovers.count("synthetic")
    assert left.pop("users") > 0, "only the sweep deletes users"
    assert set(left.values()) == {0}
    assert site.leftovers.count("live") == site.live


NEW = {
    "clients": (("clients",), ["clients", "address", "reads"]),
    "products": (("products",), ["products", "reads"]),
    "auth": (("auth",), ["users", "reads"]),
    "inventory": (
        ("inventory", "clients", "products"),
        ["inventory", "clients", "address", "products", "reads"],
    ),
}


@pytest.mark.parametrize(("names", "workflows"), NEW.values(), ids=NEW)
def test_newly_written_journeys_pass_and_leave_only_users(
    site: Site, tmp_path: Path, names: tuple[str, ...], workflows: list[str]
) -> None:
    file = tmp_path / "new.yaml"
    contracts = [contracts_folder() / f"{name}.yaml" for name in names]
    assert synthetic("new", *contracts, "--output", file).code == 0
    checked = synthetic("check", file)
    assert (checked.code, checked.stdout.split(", ")[-1]) == (0, "0 mistakes\n")
    assert workflow_names(file) == workflows
    for name in workflows:
        outcome = site.replay(name, file)
        assert (outcome.result, outcome.attempt) == ("passed", 1), (outcome.step, outcome.detail)
    assert site.left() == NOTHING
    assert site.leftovers.count("live") == site.live


def test_the_command_replays_what_it_has_written_for_given_ids(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    done = synthetic("new", contracts_folder() / "inventory.yaml", "--output", file)
    assert "fill in client_id" in done.stderr
    assert "fill in product_id" in done.stderr
    client, product = {**CLIENT, "cpf": "111.444.777-35"}, {**PRODUCT, "name": "Teclado"}
    with httpx.Client(base_url=site.system.url) as http:
        http.headers["Authorization"] = f"Bearer {monitor_token(site)}"
        client_id = http.post("/clients/create", json=client).json()["id"]
        product_id = http.post("/products/create", json=product).json()["id"]
        given = ["--input", f"client_id={client_id}", "--input", f"product_id={product_id}"]
        where = ["--server", f"inventory={site.system.url}", "--credentials"]
        named = ["probe", "inventory", "--file", str(file), *where, str(site.folder.monitor)]
        command = [str(PROGRAM), *named, *given, "--retries", "0"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        http.delete(f"/clients/delete/{client_id}").raise_for_status()
        http.delete(f"/products/delete/{product_id}").raise_for_status()
    assert ran.returncode == 0, ran.stdout
    wait_until(lambda: site.left() == NOTHING, "the relays to deliver")


def monitor_token(site: Site) -> str:
    """Return a token of the monitors' realm."""
    secret = (site.folder.monitor / "client-secret").read_text()
    form = {"grant_type": "client_credentials"}
    response = httpx.post(f"{site.system.url}/users/token", data=form, auth=("synthetic", secret))
    return str(response.json()["access_token"])


@pytest.mark.parametrize("service", ["auth", "clients", "products", "inventory"])
def test_a_health_journey_fails_if_another_instance_responds(site: Site, service: str) -> None:
    assert probe_instance(site, service, service) == ("passed", "")
    assert probe_instance(site, service, "") == ("passed", "")
    assert probe_instance(site, service, f"other/{service}") == ("failed", "assertion")


def probe_instance(site: Site, service: str, instance: str) -> tuple[str, str]:
    """Return result and reason of a health journey that expects an instance."""
    inputs = ["--input", f"instance={instance}", "--output", "json"]
    command = [str(PROGRAM), "probe", f"{service}-health", "--url", site.system.url, *inputs]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    return found["result"], found["reason"]


@pytest.mark.long
def test_a_probe_killed_at_any_step_reports_its_progress_and_leaves_no_data(
    site: Site, tmp_path: Path
) -> None:
    for names, at, ended in interrupted(site, tmp_path, signal.SIGKILL):
        assert ended.code == -signal.SIGKILL
        assert ended.message["result"] == "running"
        # a retried step delays the ones after it
        assert ended.message["step"] in {names[at], names[min(at, len(names) - 2)]}
        reported = [name for name, *_ in ended.message["steps"]]
        assert reported == names[: len(reported)]
        assert len(reported) in {at, len(names) - 2}
    assert sum(site.leftovers.count("synthetic").values()) > 0
    site.leftovers.expire()
    site.leftovers.purge()
    wait_until(lambda: site.leftovers.count("synthetic") == NOTHING, "the relays to deliver")
    assert site.leftovers.count("live") == site.live


@pytest.mark.long
def test_a_probe_terminated_at_any_step_cleans_up(site: Site, tmp_path: Path) -> None:
    for names, _, ended in interrupted(site, tmp_path, signal.SIGTERM):
        if ended.code == 0:  # the signal arrived with the last request, or during the clean-up
            assert ended.message["result"] == "passed"
            continue
        assert ended.code == 2
        assert (ended.message["result"], ended.message["reason"]) == ("error", "runner")
        assert ended.message["step"] in names
    wait_until(lambda: site.left() == NOTHING, "the relays to deliver")
    assert site.leftovers.count("live") == site.live


@dataclass(frozen=True)
class Ended:
    """Exit code and termination message of a probe."""

    code: int
    message: dict[str, Any]


def interrupted(
    site: Site, folder: Path, number: signal.Signals
) -> list[tuple[list[str], int, Ended]]:
    """Signal a probe at each step of each journey; return step names, index and ending."""
    steps = {name: [s.step_id for s in site.replay(name).steps] for name in INTERRUPTED}
    cases = [(name, at) for name, names in steps.items() for at in range(len(names))]
    with ThreadPoolExecutor(3) as pool:
        ends = pool.map(lambda c: probe_until(site, folder, c[0], c[1], number), cases)
        return [(steps[name], at, ended) for (name, at), ended in zip(cases, ends, strict=True)]


def probe_until(site: Site, folder: Path, journey: str, at: int, number: signal.Signals) -> Ended:
    """Run a probe that receives a signal during its request of this index."""
    log = folder / f"{journey}-{at}"
    started: list[subprocess.Popen[bytes]] = []
    with interrupting_proxy(site.system.url, at + 1, lambda: started[0].send_signal(number)) as url:
        where = ["--url", url, "--credentials", str(site.folder.monitor)]
        how = ["--timeout", str(PATIENCE), "--termination-log", str(log)]
        command = [str(PROGRAM), "probe", journey, *where, *how]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        code = started[0].wait(PATIENCE)
    return Ended(code, json.loads(log.read_text()))
