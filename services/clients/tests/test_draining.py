"""Graceful shutdown: running requests are finished, and database sessions are closed."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from clients.app import create_app
from servicekit.db.database import driver_url
from servicekit.testing import (
    FakeIssuer,
    environment,
    gunicorn_server,
    peer_settings,
    serve,
    wait_until,
)
from tests.support.clients.request_bodies import client_body

pytestmark = pytest.mark.covers_subprocesses

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
    """The database of the service, for queries of the test."""
    engine = create_engine(driver_url(own_url))
    yield engine
    engine.dispose()


@pytest.fixture
def settings(own_url: str, issuer: FakeIssuer, tmp_path: Path) -> dict[str, str]:
    """The environment of a service with that database."""
    return peer_settings(issuer, own_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


def count(engine: Engine, what: str) -> int:
    """Return a count in a new transaction."""
    with engine.connect() as connection:
        return int(connection.scalar(text(what)) or 0)


def test_on_sigterm_the_service_is_not_ready_and_finishes_running_requests(
    settings: dict[str, str], engine: Engine, issuer: FakeIssuer
) -> None:
    caller = httpx.Client(headers={"Authorization": f"Bearer {issuer.token()}"}, timeout=30)
    with gunicorn_server("clients", settings) as service, caller, ThreadPoolExecutor(1) as pool:
        with engine.begin() as holder:
            holder.execute(text("LOCK TABLE clients"))
            running = pool.submit(caller.post, f"{service.url}/clients/create", json=client_body())
            wait_until(lambda: count(engine, WAITING) == 1, "the request to wait for the lock")
            service.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not service.is_ready(), "readiness to turn red")
            assert not running.done()
        answer = running.result()
        assert answer.status_code == 201
        assert service.process.wait(20) == 0
    assert count(engine, "SELECT count(*) FROM clients") == 1
    assert count(engine, SESSIONS) == 0


def test_a_stopping_service_closes_its_connection_pool(
    settings: dict[str, str], engine: Engine, issuer: FakeIssuer
) -> None:
    with environment(**settings):
        app = create_app()
    with serve(app) as url:
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        assert httpx.get(f"{url}/clients/fetch", headers=headers).status_code == 200
        assert count(engine, SESSIONS) > 0
    wait_until(lambda: count(engine, SESSIONS) == 0, "every session to end")
