"""Queries of dashboards and alerts against a Prometheus that scrapes a running system."""

import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from devstack.service_catalog import CONTRACTS, SERVICES, relays
from scripts.charts.rendering import dashboards, render, rule_groups
from servicekit.openapi.contract import load_contract
from servicekit.testing import environment, wait_until
from tests.support.local_system import System, command, running
from tests.support.prometheus import query, running_prometheus

TIMEOUT = 30.0  # seconds
RATE_INTERVAL = "5m"  # for Grafana's $__rate_interval
SELECTOR = re.compile(r"\b[a-z_]+\{[^}]*\}")
LEGEND = re.compile(r"\{\{(\w+)\}\}")
# labels that the Prometheus operator adds for a PodMonitor
RELABEL_CONFIGS = [
    {"target_label": "namespace", "replacement": "default"},
    {"target_label": "app_kubernetes_io_instance", "replacement": "try"},
    {"target_label": "pod", "source_labels": ["job"]},
    {
        "target_label": "app_kubernetes_io_name",
        "source_labels": ["job"],
        "regex": "(.+?)(-relay)?",
    },
]


@pytest.fixture
def objects(helm: str) -> list[dict[str, Any]]:
    """Rendered objects of the umbrella chart with all dashboards and alerts."""
    settings = ("metrics.prometheusOperator", "metrics.dashboard")
    on = ",".join(f"{service}.{name}=true" for service in SERVICES for name in settings)
    found: list[dict[str, Any]] = render(helm, "cadastro", "--set", on)
    return found


class Prometheus:
    """Client of the HTTP API of Prometheus."""

    def __init__(self, http: httpx.Client) -> None:
        """Send requests with ``http``."""
        self._http = http

    def up(self) -> set[str]:
        """Return the jobs with a healthy target."""
        found = self._get("targets")["activeTargets"]
        return {target["labels"]["job"] for target in found if target["health"] == "up"}

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules with the result of their last evaluation."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def labels(self, expression: str) -> list[set[str]]:
        """Return the labels of each series with a finite value."""
        found = query(self._http, expression)
        return [set(one["metric"]) for one in found if math.isfinite(float(one["value"][1]))]

    def _get(self, endpoint: str) -> Any:
        response = self._http.get(f"/api/v1/{endpoint}")
        assert response.is_success, response.text
        return response.json()["data"]


@contextmanager
def scraping(targets: Path, groups: dict[str, Any]) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes the targets of a system and evaluates rule groups."""
    scraped = {"job_name": "system", "file_sd_configs": [{"files": [str(targets)]}]}
    config = {**scraped, "relabel_configs": RELABEL_CONFIGS}
    with running_prometheus([config], groups) as http:
        yield Prometheus(http)


def panels(objects: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the query of each panel by the titles of dashboard and panel."""
    return {
        f"{dashboard['title']}: {panel['title']}": target
        for dashboard in dashboards(objects)
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }


def replay_journeys(system: System) -> None:
    """Replay the journeys of the monitors."""
    credentials = DataFolder(system.data).monitor
    done = command("devstack.smoke_test", system.url, str(credentials))
    assert done.returncode == 0, done.stdout


def reconcile_inventory(system: System) -> None:
    """Reconcile the inventory with clients and products, as the CronJob does."""
    folder, name = DataFolder(system.data), "inventory"
    server = Postgres(folder.postgres, folder.logs / "postgres.log")
    settings = {
        "DATABASE_URL": server.url(name, user=name),
        "CONTRACTS_DIR": str(CONTRACTS),
        "JWKS_URL": f"{system.url}/users/jwks.json",
        "TOKEN_URL": f"{system.url}/users/token",
        "SERVICE_CLIENT_ID": name,
        "SERVICE_CLIENT_SECRET_FILE": str(folder.oauth_clients / name),
        "CLIENTS_URL": system.url,
        "PRODUCTS_URL": system.url,
    }
    with environment(**settings):
        done = command("inventory.reconcile")
    assert done.returncode == 0, done.stderr


def cause_errors(system: System) -> None:
    """Make each service return 503 once by suspending PostgreSQL."""
    contracts = [load_contract(CONTRACTS / f"{name}.yaml") for name in SERVICES]
    paths = [path for contract in contracts for path in contract["paths"]]
    healths = [f"{system.url}{path}" for path in paths if path.endswith("/health")]
    database = [part for part in system.parts() if part.name() == "postgres"]
    for part in database:
        part.suspend()
    try:
        assert {httpx.get(url, timeout=TIMEOUT).status_code for url in healths} == {503}
    finally:
        for part in database:
            part.resume()
    wait_until(lambda: all(httpx.get(url).is_success for url in healths), "the database", TIMEOUT)


def missing_series(prometheus: Prometheus, queries: dict[str, dict[str, str]]) -> list[str]:
    """Return the panels without data, and the alert selectors that match no series."""
    missing = []
    for name, target in queries.items():
        labels_used = set(LEGEND.findall(target["legendFormat"]))
        found = prometheus.labels(target["expr"].replace("$__rate_interval", RATE_INTERVAL))
        if not found or not all(labels_used <= labels for labels in found):
            missing.append(name)
    for rule in prometheus.rules():
        selectors = SELECTOR.findall(rule["query"])
        if rule["health"] != "ok" or not selectors:
            missing.append(f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}")
        # kube-state-metrics is not here: the tests of promtool have its series
        own = (each for each in selectors if not each.startswith("kube_"))
        missing += [each for each in own if not prometheus.labels(each)]
    return missing


@pytest.mark.usefixtures("promtool")
@pytest.mark.long
def test_each_panel_and_alert_finds_series_in_prometheus(
    objects: list[dict[str, Any]], data_folder: Path
) -> None:
    queries, groups = panels(objects), rule_groups(objects)
    with (
        running(data_folder, None, "--metrics") as system,
        scraping(DataFolder(data_folder).metrics, groups) as prometheus,
    ):
        assert len(prometheus.rules()) == sum(len(group["rules"]) for group in groups["groups"])
        jobs = {*SERVICES, *(f"{name}-relay" for name in relays())}
        wait_until(lambda: prometheus.up() == jobs, "all targets to be up", TIMEOUT)
        cause_errors(system)
        reconcile_inventory(system)
        deadline = time.monotonic() + TIMEOUT
        while (missing := missing_series(prometheus, queries)) and time.monotonic() < deadline:
            replay_journeys(system)  # a rate needs two scrapes
        assert not missing, missing
