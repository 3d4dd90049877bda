"""Metrics: shared by all workers, on a separate port, without personal data."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from clients.app import create_app
from servicekit.testing import (
    FakeIssuer,
    environment,
    gunicorn_server,
    peer_settings,
    serve,
    wait_until,
)
from tests.support.clients.request_bodies import client_body
from tests.support.ports import free_port

COUNT = "http_server_request_duration_seconds_count"


class Scrape:
    """A snapshot of the metrics."""

    def __init__(self, port: int) -> None:
        """Fetch the metrics."""
        self.text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        self.samples = [
            sample
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the samples with this name and these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.fixture
def metrics_port() -> int:
    """A free port."""
    return free_port()


@pytest.fixture
def settings(
    issuer: FakeIssuer, database_url: str, tmp_path: Path, metrics_port: int
) -> dict[str, str]:
    """Settings with metrics."""
    more = {
        "INVENTORY_URL": "http://127.0.0.1:9",
        "METRICS_BIND": f"127.0.0.1:{metrics_port}",
    }
    return peer_settings(issuer, database_url, tmp_path, **more)


@pytest.fixture
def url(settings: dict[str, str]) -> Iterator[str]:
    """A service with metrics in this process."""
    with environment(**settings):
        app = create_app()
    with serve(app) as url:
        yield url


def test_answers_are_counted_by_operation_and_status_class(
    url: str, metrics_port: int, issuer: FakeIssuer
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with httpx.Client(base_url=url, headers=headers) as client:
        made = client.post("/clients/create", json=client_body()).json()["id"]
        for _ in range(3):
            client.get(f"/clients/fetch/{made}")
        client.get("/clients/fetch/9223372036854775807")
        client.get("/nothing/here")
    found = Scrape(metrics_port)
    assert found.value(COUNT, service="clients", operation="clients.create", status="2xx") == 1
    assert found.value(COUNT, operation="clients.fetch", status="2xx") == 3
    assert found.value(COUNT, operation="clients.fetch", status="4xx") == 1
    assert found.value(COUNT, operation="none", status="4xx") == 1
    assert found.value(COUNT) == 6  # probes are not counted
    bucket = "http_server_request_duration_seconds_bucket"
    assert found.value(bucket, operation="clients.fetch", status="2xx", le="+Inf") == 3
    assert found.value("http_server_request_duration_seconds_sum") > 0


def test_what_a_process_has_is_told(url: str, metrics_port: int, issuer: FakeIssuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    for _ in range(3):
        httpx.get(f"{url}/clients/fetch", headers=headers)
    wait_until(
        lambda: Scrape(metrics_port).value("cadastro_token_cache_hits_total") == 2, "the next look"
    )
    found = Scrape(metrics_port)
    assert found.value("cadastro_token_cache_misses_total") == 1
    assert found.value("cadastro_handler_threads") == 4
    assert found.value("cadastro_handler_threads_busy") == 0
    assert found.value("cadastro_requests_queued") == 0
    assert found.value("cadastro_database_connections_max") == 4
    assert found.value("cadastro_event_loop_lag_seconds_count") >= 1


def test_no_label_holds_anything_of_a_request(
    url: str, metrics_port: int, issuer: FakeIssuer
) -> None:
    token = issuer.token()
    person = client_body(name="Segredo da Silva")
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        client.post("/clients/create", json=person)
        client.get("/clients/fetch/777888999", headers={"X-Request-ID": "a-request"})
        client.get("/unknown-path-777888999")
        client.request("SEGREDO", "/clients/fetch")
    text = Scrape(metrics_port).text
    for secret in (person["cpf"], person["email"], "Segredo", "777888999", "a-request", token):
        assert secret not in text
    assert {name for sample in Scrape(metrics_port).samples for name in sample.labels} <= {
        "service",
        "operation",
        "status",
        "le",
    }


def test_users_cannot_reach_the_metrics(url: str) -> None:
    for path in ("/metrics", "/clients/metrics", "/-/metrics"):
        assert httpx.get(url + path).status_code == 404


def test_whichever_worker_is_asked_answers_for_all_and_a_kill_loses_nothing(
    settings: dict[str, str], metrics_port: int, issuer: FakeIssuer
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}

    def fetch(url: str) -> None:
        with httpx.Client(headers=headers) as client:  # one connection each, to reach all workers
            client.get(f"{url}/clients/fetch")

    def counted() -> float:
        return Scrape(metrics_port).value(COUNT, operation="clients.list_all")

    two = {**settings, "WORKERS": "2"}
    with gunicorn_server("clients", two) as service, ThreadPoolExecutor(4) as pool:
        list(pool.map(fetch, [service.url] * 40))
        assert {counted() for _ in range(8)} == {40}  # from any worker
        before = service.workers
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(set(service.workers) - {before[0]}) == 2, "another worker", 30)
        wait_until(
            lambda: Scrape(metrics_port).value("cadastro_handler_threads") == 8, "its first look"
        )
        list(pool.map(fetch, [service.url] * 40))
        assert counted() == 80
