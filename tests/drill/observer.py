"""Observer of a drill: monitors from the API server, alerts from a local Prometheus."""

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from scripts.charts import promtool, rendering
from tests.support.cluster import RELEASE, Cluster
from tests.support.ports import free_port
from tests.support.steps import StepFailed

GROUP = "monitoring.cadastro.dev"
PROXY_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")
SCRAPE_INTERVAL = "1s"
START_TIMEOUT_SECONDS = 30.0
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

    def alerts(self, monitor: str) -> set[str]:
        """Return the alerts that fire for a monitor."""
        labels = f'alertstate="firing",namespace="{self.namespace}",monitor="{monitor}"'
        query = {"query": f"ALERTS{{{labels}}}"}
        response = self.prometheus.get("/api/v1/query", params=query).raise_for_status().json()
        return {each["metric"]["alertname"] for each in response["data"]["result"]}


@contextmanager
def observe(cluster: Cluster) -> Iterator[Observer]:
    """Observe the release during the block.

    Raises:
        PromtoolError: there is no Prometheus; the message explains its installation.

    """
    program = promtool.find_program("prometheus")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cadastro-drill-")))
        proxy = stack.enter_context(_running(["kubectl", "proxy", "--port=0"], folder / "proxy"))
        api_address = _wait_for_address(folder / "proxy", proxy)
        (folder / "rules.yaml").write_text(yaml.safe_dump(_rules(cluster)))
        (folder / "prometheus.yaml").write_text(
            yaml.safe_dump(_prometheus_config(cluster, api_address))
        )
        address = f"127.0.0.1:{free_port()}"
        command = [
            program,
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
        ]
        stack.enter_context(_running(command, folder / "log"))
        api = stack.enter_context(httpx.Client(base_url=f"http://{api_address}", timeout=30))
        alerts = stack.enter_context(httpx.Client(base_url=f"http://{address}", timeout=30))
        _wait_until_ready(alerts, folder / "log")
        yield Observer(api, alerts, cluster.namespace)


def _rules(cluster: Cluster) -> dict[str, Any]:
    """Return the rules that the chart renders for this cluster."""
    text = cluster.template(RELEASE, "charts/synthetic", RULES, CHART_VALUES)
    return rendering.rule_groups([item for item in yaml.safe_load_all(text) if item])


def _prometheus_config(cluster: Cluster, api_address: str) -> dict[str, Any]:
    service = f"services/{RELEASE}-synthetic:http"
    labels = {"service": f"{RELEASE}-synthetic", "operator_namespace": cluster.namespace}
    scrape = {
        "job_name": "synthetic",
        "honor_labels": True,  # like the ServiceMonitor of the chart
        "metrics_path": f"/api/v1/namespaces/{cluster.namespace}/{service}/proxy/metrics",
        "static_configs": [{"targets": [api_address], "labels": labels}],
    }
    return {
        "global": {"scrape_interval": SCRAPE_INTERVAL, "evaluation_interval": SCRAPE_INTERVAL},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [scrape],
    }


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            process.terminate()


def _wait_for_address(log: Path, proxy: subprocess.Popen[bytes]) -> str:
    """Wait for the address of ``kubectl proxy``, and return it."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and proxy.poll() is None:
        found = PROXY_ADDRESS.search(log.read_text())
        if found:
            return found.group()
        time.sleep(0.1)
    raise StepFailed(f"kubectl proxy does not start: {log.read_text()}")


def _wait_until_ready(prometheus: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        try:
            if prometheus.get("/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise StepFailed(f"Prometheus does not start: {log.read_text()[-500:]}")
