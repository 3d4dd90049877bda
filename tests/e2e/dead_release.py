"""Alerts of a release without pods, beside a living one, in one Prometheus."""

from typing import Any

import httpx
import yaml

from devstack.service_catalog import SERVICES, relays
from scripts.charts.rendering import rule_groups
from tests.e2e.lifecycle import run_jobs
from tests.support.api_server_proxy import api_server_proxy
from tests.support.cluster import CHART, RELEASE, Cluster
from tests.support.prometheus import query, running_prometheus
from tests.support.scrape_configs import operator_scrape, pod_scrape
from tests.support.steps import wait_until

HOLD = "10s"  # replaces the minutes and hours after which an alert fires
TIMEOUT_SECONDS = 120.0
OPERATOR_DOWN = ("SyntheticOperatorDown", f"{RELEASE}-synthetic")
ABSENCES = frozenset(
    {
        OPERATOR_DOWN,
        *(("ServiceMetricsAbsent", service) for service in SERVICES),
        *(("OutboxRelayMetricsAbsent", service) for service in relays()),
        ("InventoryReconciliationOverdue", "inventory"),
    }
)
FAILING = ("SyntheticMonitorFailing", f"{RELEASE}-synthetic")
CHECKED = ABSENCES | {FAILING}  # others mean little after so short a time


def check_alerts(living: Cluster, dead: Cluster) -> str:
    """Stop the operator of a release without services, and check the alerts of both releases."""
    run_jobs(living, f"{RELEASE}-inventory-reconcile")
    with api_server_proxy() as address:
        scrapes = [
            scrape(cluster, address)
            for cluster in (living, dead)
            for scrape in (operator_scrape, pod_scrape)
        ]
        groups = {"groups": [group for cluster in (living, dead) for group in _groups(cluster)]}
        with running_prometheus(scrapes, groups) as prometheus:
            _wait_for(prometheus, living, frozenset(), "it lives")
            _wait_for(prometheus, dead, CHECKED - {OPERATOR_DOWN}, "no services run")
            dead.kubectl("scale", "deployment", f"{RELEASE}-synthetic", "--replicas=0")
            _wait_for(prometheus, dead, CHECKED, "its operator does not run either")
            _wait_for(prometheus, living, frozenset(), "another release is dead")
    return f"{len(CHECKED)} alerts of the dead release fire, and none of the living one"


def _groups(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the alerts of a release, which fire after ``HOLD``."""
    parts = (*SERVICES, "synthetic")
    options = [f"--set={part}.metrics.prometheusOperator=true" for part in parts]
    text = cluster.template(RELEASE, CHART, "--set=ingress.checkHosts=false", *options)
    groups = rule_groups([item for item in yaml.safe_load_all(text) if item])["groups"]
    for group in groups:
        group["name"] = f"{cluster.namespace} {group['name']}"
        for rule in group["rules"]:
            rule["for"] = HOLD
    return list(groups)


def _wait_for(
    prometheus: httpx.Client, cluster: Cluster, expected: frozenset[tuple[str, str]], why: str
) -> None:
    wait_until(
        lambda: _firing(prometheus, cluster) == expected,
        TIMEOUT_SECONDS,
        lambda: (
            f"{why}, but of {cluster.namespace} fire {sorted(_firing(prometheus, cluster))} "
            f"instead of {sorted(expected)}"
        ),
    )


def _firing(prometheus: httpx.Client, cluster: Cluster) -> frozenset[tuple[str, str]]:
    labels = f'alertstate="firing",namespace="{cluster.namespace}"'
    found = query(prometheus, f"ALERTS{{{labels}}}")
    alerts = ((one["metric"]["alertname"], one["metric"]["service"]) for one in found)
    return frozenset(each for each in alerts if each in CHECKED)
