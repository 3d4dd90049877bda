"""The relay process: settings, deliveries and metrics."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from clients.app import create_app
from servicekit.db.database import Database, driver_url
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    FakeIssuer,
    StubHandler,
    environment,
    peer_settings,
    serve,
    wait_until,
)
from tests.support.clients.outbox import add_messages, pending_ids
from tests.support.clients.request_bodies import client_body
from tests.support.ports import free_port

pytestmark = pytest.mark.covers_subprocesses


class Inventory(ThreadingHTTPServer):
    """A fake inventory and auth with prepared statuses."""

    def __init__(self) -> None:
        """Return 200 by default."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.calls: list[tuple[str, str, dict[str, object], str]] = []


class _Handler(StubHandler):
    server: Inventory

    def do_POST(self) -> None:
        """Return a token."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_json(200, {"access_token": "a-token", "expires_in": 300})

    def do_DELETE(self) -> None:
        """Receive a message."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        authorization = self.headers.get("Authorization", "")
        self.server.calls.append((self.command, self.path, body, authorization))
        self.send_json(
            self.server.statuses.pop(0) if self.server.statuses else 200, {"msg": "done"}
        )


@pytest.fixture
def inventory() -> Iterator[Inventory]:
    """A fake inventory and auth on one port."""
    server = Inventory()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_relays_process_tells_the_inventory_through_failures(
    outbox: Database, own_url: str, issuer: FakeIssuer, inventory: Inventory, tmp_path: Path
) -> None:
    base = f"http://127.0.0.1:{inventory.server_port}"
    settings = peer_settings(issuer, own_url, tmp_path, INVENTORY_URL=base)
    inventory.statuses = [503, 401, 200]
    add_messages(outbox, 5)
    with environment(**{**settings, "TOKEN_URL": f"{base}/users/token"}):
        relay = subprocess.Popen([sys.executable, "-m", "clients.relay"], env=os.environ)
    try:
        wait_until(lambda: pending_ids(outbox) == [], "the relay to deliver", 30)
    finally:
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(10) == 0
    body = {"remotion_id": 5, "type": "client"}
    call = ("DELETE", "/inventory/remove_many", body, "Bearer a-token")
    assert inventory.calls == [call] * 3


def test_a_relay_tells_prometheus_how_much_waits_and_for_how_long(
    outbox: Database, own_url: str, issuer: FakeIssuer, tmp_path: Path
) -> None:
    port = free_port()
    settings = peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")
    add_messages(outbox, 5, 6)
    with environment(**settings, METRICS_BIND=f"127.0.0.1:{port}"):
        relay = subprocess.Popen([sys.executable, "-m", "clients.relay"], env=os.environ)
    try:
        wait_until(
            lambda: "cadastro_outbox_oldest_message_age_seconds " in scraped(port),
            "the metrics",
            30,
        )
        assert "cadastro_outbox_messages 2.0" in scraped(port)
    finally:
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(10) == 0


def scraped(port: int) -> str:
    """Return the metrics of the relay."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics").text
    except httpx.TransportError:
        return ""


def test_a_relay_without_settings_lists_them() -> None:
    environ = {name: value for name, value in os.environ.items() if "URL" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "clients.relay"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78
    assert "INVENTORY_URL" in done.stderr


def test_a_client_who_is_deleted_twice_is_told_of_once(
    own_url: str, issuer: FakeIssuer, tmp_path: Path
) -> None:
    settings = peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")
    with environment(**settings):
        app = create_app()
    with (
        serve(app) as url,
        ContractClient(url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as api,
    ):
        client_id = api.post("/clients/create", json=client_body()).json()["id"]
        with ThreadPoolExecutor(10) as pool:
            deletes = [pool.submit(api.delete, f"/clients/delete/{client_id}") for _ in range(10)]
        assert sorted(d.result().status_code for d in deletes) == [200] + [404] * 9
    with create_engine(driver_url(own_url)).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM outbox")) == 1
