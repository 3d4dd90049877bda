"""Utilisation of a real system with small pools."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from devstack.postgres import Postgres
from load.harness.saturation import Step, bottlenecks
from load.harness.service_metrics import MetricsError, MetricsSampler, metrics_targets
from servicekit.db.database import driver_url
from servicekit.testing import wait_until
from tests.support.load.synthetic_token import monitor_headers
from tests.support.local_system import System, running

CALLERS = 5


@contextmanager
def locked_clients(data: Path) -> Iterator[None]:
    """Lock the table of clients."""
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
    """Fetch a client repeatedly from several threads, whatever the responses."""
    stop = threading.Event()
    headers = monitor_headers(system.url, secret)

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


def test_a_full_pool_is_named_with_its_waiting_requests(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREADS", "2")
    monkeypatch.setenv(
        "METRICS_BIND", "127.0.0.1:9"
    )  # the run replaces it with an address for each service
    with running(data_folder, None, "--metrics") as system:
        targets = metrics_targets(data_folder, [])
        with MetricsSampler(targets) as quiet:
            wait_until(lambda: len(quiet.busiest(1)) == 4, "metrics of all four services")
        idle = quiet.busiest(1)
        assert {name: (i.threads, i.connections) for name, i in idle.items()} == dict.fromkeys(
            ("auth", "clients", "products", "inventory"), (2, 2)
        )
        assert not any("pool" in line for line in bottlenecks(Step(1, services=idle)))
        secret = data_folder / "secrets" / "oauth-clients" / "synthetic"
        with (
            MetricsSampler(targets) as sampler,
            locked_clients(data_folder),
            fetching(system, secret),
        ):
            wait_until(lambda: is_full(sampler), "the pool to be full", 30)
    first = bottlenecks(Step(1, services=sampler.busiest(1)))[0]
    assert first.startswith("pool of clients: 2.0 of 2 connections in use, ")


def is_full(sampler: MetricsSampler) -> bool:
    """True where requests wait for the clients service, and all its connections are in use."""
    clients = sampler.busiest(1).get("clients")
    return clients is not None and clients.waiting >= 1 and clients.connections_in_use == 2


def test_targets_are_optional_and_an_invalid_file_is_rejected(tmp_path: Path) -> None:
    assert metrics_targets(tmp_path, []) == []
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps([{"targets": ["127.0.0.1:1"]}, {"targets": ["127.0.0.1:2"]}]))
    assert metrics_targets(tmp_path, []) == ["127.0.0.1:1", "127.0.0.1:2"]
    assert metrics_targets(tmp_path, ["pod:9000"]) == ["pod:9000"]
    path.write_text('{"targets": 1}')
    with pytest.raises(MetricsError, match=r"metrics\.json"):
        metrics_targets(tmp_path, [])


def test_an_unreachable_service_is_skipped() -> None:
    with MetricsSampler(["127.0.0.1:9"]) as sampler:
        pass
    assert sampler.busiest(1) == {}
