"""The end of a process: it takes nothing new, finishes what runs, and leaves no session behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from clients.app import create_app
from localstack.catalogue import ROOT
from localstack.stack import free_ports
from people import a_client
from servicekit.database import driver_url
from servicekit.testing import Issuer, environment, peer_settings, serve, wait_until

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'clients' AND wait_event_type = 'Lock'"
)
SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'clients'"
)


@pytest.fixture
def engine(own_url: str) -> Iterator[Engine]:
    """That database, for the test's own questions."""
    engine = create_engine(driver_url(own_url))
    yield engine
    engine.dispose()


@pytest.fixture
def settings(own_url: str, issuer: Issuer, tmp_path: Path) -> dict[str, str]:
    """The environment of a service on that database."""
    return peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


@pytest.fixture
def gunicorn(settings: dict[str, str]) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The service under gunicorn, as it is deployed: its URL and its first process."""
    (port,) = free_ports(1)
    program = str(Path(sys.executable).with_name("gunicorn"))
    configuration = str(ROOT / "services" / "gunicorn.conf.py")
    process = subprocess.Popen(
        [program, "-c", configuration, "clients.app:create_app()"],
        env={**os.environ, **settings, "BIND": f"127.0.0.1:{port}"},
    )
    try:
        wait_until(lambda: is_ready(f"http://127.0.0.1:{port}"), "the service to be ready", 30)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def is_ready(url: str) -> bool:
    """Tell what a probe would see."""
    try:
        return httpx.get(f"{url}/-/ready").is_success
    except httpx.TransportError:
        return False


def count(engine: Engine, what: str) -> int:
    """Return a count, as a session that sees the newest rows."""
    with engine.connect() as connection:
        return int(connection.scalar(text(what)) or 0)


def test_on_sigterm_readiness_turns_red_while_a_running_request_is_finished(
    gunicorn: tuple[str, "subprocess.Popen[bytes]"], engine: Engine, issuer: Issuer
) -> None:
    url, process = gunicorn
    caller = httpx.Client(headers={"Authorization": f"Bearer {issuer.token()}"}, timeout=30)
    with caller, ThreadPoolExecutor(1) as pool:
        with engine.begin() as holder:
            holder.execute(text("LOCK TABLE clients"))
            running = pool.submit(caller.post, f"{url}/clients/create", json=a_client())
            wait_until(lambda: count(engine, WAITING) == 1, "the request to wait for the lock")
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: not is_ready(url), "readiness to turn red")
            assert not running.done()
        answer = running.result()
    assert answer.status_code == 201
    assert process.wait(20) == 0
    assert count(engine, "SELECT count(*) FROM clients") == 1
    assert count(engine, SESSIONS) == 0


def test_a_service_that_ends_closes_its_pool_and_not_only_with_its_process(
    settings: dict[str, str], engine: Engine, issuer: Issuer
) -> None:
    with environment(**settings):
        app = create_app()
    with serve(app) as url:
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        assert httpx.get(f"{url}/clients/fetch", headers=headers).status_code == 200
        assert count(engine, SESSIONS) > 0
    wait_until(lambda: count(engine, SESSIONS) == 0, "every session to end")
