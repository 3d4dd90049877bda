"""Pools that are full, as a real system tells that was given small ones."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from load.harness.saturation import Step, saturated
from load.harness.service_metrics import InsideError, Looks, targets
from localstack.postgres import Postgres
from servicekit.db.database import driver_url
from servicekit.testing import wait_until
from tests.support.load.monitor_login import let_in
from tests.support.local_system import System, running

CALLERS = 5


@contextmanager
def locked_clients(data: Path) -> Iterator[None]:
    """Keep everybody else from the table of clients."""
    server = Postgres(data / "postgres", data / "logs" / "postgres.log")
    engine = create_engine(driver_url(server.url("clients", user="clients")))
    try:
        with engine.begin() as holder:
            holder.execute(text("LOCK TABLE clients"))
            yield
    finally:
        engine.dispose()


@contextmanager
def fetching(system: System, secret: Path) -> Iterator[None]:
    """Have several callers fetch a client again and again, however they are answered."""
    stop = threading.Event()
    headers = let_in(system.url, secret)

    def fetch() -> None:
        with httpx.Client(base_url=system.url, headers=headers, timeout=30) as http:
            while not stop.is_set():
                http.get("/clients/fetch/1")

    with ThreadPoolExecutor(CALLERS) as pool:
        calls = [pool.submit(fetch) for _ in range(CALLERS)]
        try:
            yield
        finally:
            stop.set()
    assert [call.exception() for call in calls] == [None] * CALLERS


def test_a_pool_that_is_too_small_is_named_with_who_waited(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREADS", "2")
    monkeypatch.setenv("METRICS_BIND", "127.0.0.1:9")  # one for all: the run gives each its own
    with running(data_folder, None, "--metrics") as system:
        told = targets(data_folder, [])
        with Looks(told) as quiet:
            wait_until(lambda: len(quiet.fullest(1)) == 4, "all four services to tell")
        idle = quiet.fullest(1)
        assert {name: (i.threads, i.connections) for name, i in idle.items()} == dict.fromkeys(
            ("auth", "clients", "products", "inventory"), (2, 2)
        )
        assert not any("pool" in line for line in saturated(Step(1, insides=idle)))
        secret = data_folder / "secrets" / "oauth-clients" / "synthetic"
        with Looks(told) as looks, locked_clients(data_folder), fetching(system, secret):
            wait_until(lambda: is_full(looks), "the pool to be full", 30)
    first = saturated(Step(1, insides=looks.fullest(1)))[0]
    assert first.startswith("pool of clients: 2.0 of 2 connections in use, ")


def is_full(looks: Looks) -> bool:
    """Tell whether callers wait for the clients service, and all its connections are in use."""
    clients = looks.fullest(1).get("clients")
    return clients is not None and clients.waiting >= 1 and clients.connections_in_use == 2


def test_a_run_without_metrics_is_no_error_and_a_list_that_is_none_is_told(tmp_path: Path) -> None:
    assert targets(tmp_path, []) == []
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps([{"targets": ["127.0.0.1:1"]}, {"targets": ["127.0.0.1:2"]}]))
    assert targets(tmp_path, []) == ["127.0.0.1:1", "127.0.0.1:2"]
    assert targets(tmp_path, ["pod:9000"]) == ["pod:9000"]
    path.write_text('{"targets": 1}')
    with pytest.raises(InsideError, match=r"metrics\.json"):
        targets(tmp_path, [])


def test_a_service_that_is_silent_is_left_out() -> None:
    with Looks(["127.0.0.1:9"]) as looks:
        pass
    assert looks.fullest(1) == {}
