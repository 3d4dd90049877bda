"""Observer of a drill: monitors and notifications in the cluster, alerts of a Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import yaml

from scripts.charts import rendering
from tests.drill import manifests, receiver
from tests.support.api_server_proxy import api_server_proxy
from tests.support.cluster import RELEASE, Cluster
from tests.support.prometheus import query, running_prometheus
from tests.support.scrape_configs import operator_scrape

GROUP = "monitoring.cadastro.dev"
RULES = "--show-only=templates/prometheusrule.yaml"
CHART_VALUES = "--set=metrics.prometheusOperator=true,credentials.existingSecret=any"


@dataclass(frozen=True)
class Observer:
    """Clients of the API server and of Prometheus."""

    api: httpx.Client
    prometheus: httpx.Client
    namespace: str

    def monitor(self, name: str) -> dict[str, Any]:
        """Return a monitor from the API server."""
        path = f"/apis/{GROUP}/v1alpha1/namespaces/{self.namespace}/syntheticmonitors/{name}"
        found: dict[str, Any] = self.api.get(path).raise_for_status().json()
        return found

    def notifications(self, monitor: str) -> list[dict[str, Any]]:
        """Return the notifications of a monitor, in the order of their arrival."""
        service = f"{manifests.RECEIVER}:{receiver.PORT}"
        path = f"/api/v1/namespaces/{self.namespace}/services/{service}/proxy/"
        found = self.api.get(path).raise_for_status().json()
        return [each for each in found if each["monitor"]["name"] == monitor]

    def alerts(self, monitor: str) -> set[str]:
        """Return the alerts that fire for a monitor."""
        labels = f'alertstate="firing",namespace="{self.namespace}",monitor="{monitor}"'
        found = query(self.prometheus, f"ALERTS{{{labels}}}")
        return {each["metric"]["alertname"] for each in found}


@contextmanager
def observe(cluster: Cluster) -> Iterator[Observer]:
    """Observe the release during the block.

    Raises:
        PromtoolError: there is no Prometheus; the message explains its installation.
        StepFailed: Prometheus or the proxy of the API server does not start.

    """
    with (
        api_server_proxy() as address,
        running_prometheus([operator_scrape(cluster, address)], _rules(cluster)) as prometheus,
        httpx.Client(base_url=f"http://{address}", timeout=30) as api,
    ):
        yield Observer(api, prometheus, cluster.namespace)


def _rules(cluster: Cluster) -> dict[str, Any]:
    """Return the rules that the chart renders for this cluster."""
    text = cluster.template(RELEASE, "charts/synthetic", RULES, CHART_VALUES)
    return rendering.rule_groups([item for item in yaml.safe_load_all(text) if item])
