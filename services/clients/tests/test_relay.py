"""The outbox and its relay: nothing is lost, whoever dies, and nobody's delete waits for it."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from clients.app import create_app
from localstack.stack import free_ports
from people import a_client
from servicekit import database
from servicekit.database import Database, driver_url
from servicekit.outbox import AT_ONCE, BATCH, CHANNEL, LEASE, Away, Refused, Relay, age, put
from servicekit.testing import (
    CONTRACTS,
    ContractClient,
    Issuer,
    environment,
    peer_settings,
    serve,
    wait_until,
)


@pytest.fixture
def outbox(own_url: str) -> Iterator[Database]:
    """An empty outbox."""
    database = Database(own_url, connections=4, application="tests")
    yield database
    database.close()


def fill(outbox: Database, *ids: int) -> None:
    """Put messages in."""
    with outbox.transaction() as connection:
        for subject_id in ids:
            put(connection, "client", subject_id)


def left(outbox: Database) -> list[int]:
    """Return what is still there."""
    with outbox.statement() as connection:
        return list(connection.scalars(text("SELECT subject_id FROM outbox ORDER BY id")))


def let_leases_run_out(outbox: Database) -> None:
    """Move time on."""
    with outbox.statement() as connection:
        earlier = text("UPDATE outbox SET due_at = due_at - make_interval(secs => :lease)")
        connection.execute(earlier, {"lease": LEASE})


def test_what_is_delivered_is_deleted(outbox: Database) -> None:
    told: list[tuple[str, int]] = []
    fill(outbox, 1, 2, 3)
    assert Relay(outbox, lambda *message: told.append(message)).deliver_batch() == 3
    assert sorted(told) == [("client", 1), ("client", 2), ("client", 3)]
    assert left(outbox) == []


def test_a_message_of_a_transaction_that_is_undone_never_was(outbox: Database) -> None:
    def put_and_fail() -> None:
        with outbox.transaction() as connection:
            put(connection, "client", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        put_and_fail()
    assert left(outbox) == []


def test_while_the_receiver_is_away_everything_is_kept_and_due(outbox: Database) -> None:
    def away(*_: object) -> None:
        raise Away

    fill(outbox, 1, 2)
    with pytest.raises(Away):
        Relay(outbox, away).deliver_batch()
    assert left(outbox) == [1, 2]
    assert Relay(outbox, lambda *_: None).deliver_batch() == 2


def test_a_refused_message_waits_by_itself(outbox: Database) -> None:
    def refuse_one(_: str, subject_id: int) -> None:
        if subject_id == 1:
            raise Refused

    fill(outbox, 1, 2)
    relay = Relay(outbox, refuse_one)
    relay.deliver_batch()
    assert left(outbox) == [1]
    assert relay.deliver_batch() == 0  # not yet again
    let_leases_run_out(outbox)
    assert relay.deliver_batch() == 1


def test_what_a_relay_took_and_did_not_deliver_is_taken_by_another(outbox: Database) -> None:
    class KilledError(BaseException):
        """Stands for kill -9: nothing of the relay's own runs after it."""

    def die(*_: object) -> None:
        raise KilledError

    fill(outbox, 1)
    with pytest.raises(KilledError):
        Relay(outbox, die).deliver_batch()
    other = Relay(outbox, lambda *_: None)
    assert other.deliver_batch() == 0  # the lease holds
    let_leases_run_out(outbox)
    assert other.deliver_batch() == 1
    assert left(outbox) == []


def test_two_relays_do_not_take_the_same_messages(outbox: Database) -> None:
    told: list[int] = []
    fill(outbox, *range(200))

    def drain(_: int) -> None:
        relay = Relay(outbox, lambda _, subject_id: told.append(subject_id))
        while relay.deliver_batch():
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(drain, range(2)))
    assert sorted(told) == list(range(200))


def test_a_batch_is_told_by_several_calls_at_once_and_never_by_more(outbox: Database) -> None:
    running: list[int] = []
    seen: list[int] = []
    together = threading.Barrier(AT_ONCE)

    def deliver(_: str, subject_id: int) -> None:
        running.append(subject_id)
        seen.append(len(running))
        together.wait(10)  # a call that is alone waits in vain, and breaks the test
        running.remove(subject_id)

    fill(outbox, *range(3 * AT_ONCE))
    assert Relay(outbox, deliver).deliver_batch() == 3 * AT_ONCE
    assert max(seen) == AT_ONCE
    assert left(outbox) == []


def test_of_calls_at_once_each_has_its_own_outcome(outbox: Database) -> None:
    together = threading.Barrier(AT_ONCE)

    def refuse_every_other(_: str, subject_id: int) -> None:
        together.wait(10)
        if subject_id % 2:
            raise Refused

    fill(outbox, *range(2 * AT_ONCE))
    Relay(outbox, refuse_every_other).deliver_batch()
    assert left(outbox) == list(range(1, 2 * AT_ONCE, 2))


def test_a_receiver_who_is_away_is_not_called_for_the_rest_of_the_batch(outbox: Database) -> None:
    called: list[int] = []

    def away(_: str, subject_id: int) -> None:
        called.append(subject_id)
        raise Away

    fill(outbox, *range(BATCH))
    with pytest.raises(Away):
        Relay(outbox, away).deliver_batch()
    assert len(called) <= AT_ONCE
    assert left(outbox) == list(range(BATCH))


def test_the_age_is_that_of_the_oldest_message(outbox: Database) -> None:
    assert age(outbox) == 0
    fill(outbox, 1)
    with outbox.statement() as connection:
        connection.execute(text("UPDATE outbox SET created_at = now() - interval '90 seconds'"))
    assert 90 <= age(outbox) < 180


def test_a_running_relay_hears_of_a_message_at_once_and_stops_when_told(outbox: Database) -> None:
    heard = threading.Event()
    relay = Relay(outbox, lambda *_: heard.set())
    thread = threading.Thread(target=relay.run)
    thread.start()
    fill(outbox, 7)
    assert heard.wait(10)
    wait_until(lambda: left(outbox) == [], "the message to be deleted")
    relay.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def running(outbox: Database) -> Iterator[queue.Queue[int]]:
    """A relay that runs; what it has told of comes in here."""
    told: queue.Queue[int] = queue.Queue()
    relay = Relay(outbox, lambda _, subject_id: told.put(subject_id))
    thread = threading.Thread(target=relay.run)
    thread.start()
    fill(outbox, 1)
    assert told.get(timeout=10) == 1
    yield told
    relay.stop()
    thread.join(10)


def test_a_relay_outlives_the_sessions_that_the_database_ends(
    running: queue.Queue[int], outbox: Database, own_url: str
) -> None:
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname ="
    with create_engine(driver_url(own_url)).connect() as other:
        other.execute(text(f"{end} current_database() AND pid <> pg_backend_pid()"))
    fill(outbox, 2)
    assert running.get(timeout=10) == 2


def test_a_relay_outlives_a_database_that_hangs_again_and_again(
    running: queue.Queue[int],
    outbox: Database,
    own_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database, "ANSWER_WITHIN", 0.2)
    with create_engine(driver_url(own_url)).begin() as holder:
        holder.execute(text("LOCK TABLE outbox"))
        with outbox.statement() as connection:
            connection.execute(text(f"NOTIFY {CHANNEL}"))
        wait_until(lambda: caplog.text.count("the database is away") > 1, "two vain attempts")
        put(holder, "client", 2)
    assert running.get(timeout=10) == 2


class Inventory(ThreadingHTTPServer):
    """Takes what a relay tells, with the statuses that a test has laid out."""

    def __init__(self) -> None:
        """Answer 200 unless told otherwise."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.calls: list[tuple[str, str, dict[str, object], str]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Inventory

    def do_POST(self) -> None:
        """Give the relay a token."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, {"access_token": "a-token", "expires_in": 300})

    def do_DELETE(self) -> None:
        """Take a message."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        authorization = self.headers.get("Authorization", "")
        self.server.calls.append((self.command, self.path, body, authorization))
        self._answer(self.server.statuses.pop(0) if self.server.statuses else 200, {"msg": "done"})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output free of access lines."""


@pytest.fixture
def inventory() -> Iterator[Inventory]:
    """An inventory, and an auth for the relay's token, on one port."""
    server = Inventory()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_relays_process_tells_the_inventory_through_failures(
    outbox: Database, own_url: str, issuer: Issuer, inventory: Inventory, tmp_path: Path
) -> None:
    base = f"http://127.0.0.1:{inventory.server_port}"
    settings = peer_settings(issuer, own_url, tmp_path, INVENTORY_URL=base)
    inventory.statuses = [503, 401, 200]
    fill(outbox, 5)
    with environment(**{**settings, "TOKEN_URL": f"{base}/users/token"}):
        relay = subprocess.Popen([sys.executable, "-m", "clients.relay"], env=os.environ)
    try:
        wait_until(lambda: left(outbox) == [], "the relay to deliver", 30)
    finally:
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(10) == 0
    body = {"remotion_id": 5, "type": "client"}
    call = ("DELETE", "/inventory/remove_many", body, "Bearer a-token")
    assert inventory.calls == [call] * 3


def test_a_relay_tells_prometheus_how_much_waits_and_for_how_long(
    outbox: Database, own_url: str, issuer: Issuer, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    settings = peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")
    fill(outbox, 5, 6)
    with environment(**settings, METRICS_BIND=f"127.0.0.1:{port}"):
        relay = subprocess.Popen([sys.executable, "-m", "clients.relay"], env=os.environ)
    try:
        wait_until(lambda: "outbox_oldest_age_seconds " in scraped(port), "the metrics", 30)
        assert "outbox_messages 2.0" in scraped(port)
    finally:
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(10) == 0


def scraped(port: int) -> str:
    """Return what Prometheus would read."""
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
    own_url: str, issuer: Issuer, tmp_path: Path
) -> None:
    settings = peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")
    with environment(**settings):
        app = create_app()
    with (
        serve(app) as url,
        ContractClient(url, CONTRACTS / "clients.yaml", "unit", issuer.token()) as api,
    ):
        client_id = api.post("/clients/create", json=a_client()).json()["id"]
        with ThreadPoolExecutor(10) as pool:
            deletes = [pool.submit(api.delete, f"/clients/delete/{client_id}") for _ in range(10)]
        assert sorted(d.result().status_code for d in deletes) == [200] + [404] * 9
    with create_engine(driver_url(own_url)).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM outbox")) == 1
