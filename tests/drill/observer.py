"""What the drill looks through: the API server for monitors, a Prometheus of its own for alerts."""

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
from tests.support.cluster import RELEASE, Cluster, ClusterError
from tests.support.ports import free_port

GROUP = "monitoring.cadastro.dev"
SERVED = re.compile(r"127\.0\.0\.1:(\d+)")
SCRAPED_EVERY = "1s"
STARTS_WITHIN = 30.0  # seconds
RULES = "--show-only=templates/prometheusrule.yaml"
SETTINGS = "--set=metrics.prometheusOperator=true,credentials.existingSecret=any"


@dataclass(frozen=True)
class Lookout:
    """Both, by their addresses on this machine."""

    api: httpx.Client
    prometheus: httpx.Client
    namespace: str

    def monitor(self, name: str) -> dict[str, Any]:
        """Return a monitor as the API server has it."""
        path = f"/apis/{GROUP}/v1alpha1/namespaces/{self.namespace}/syntheticmonitors/{name}"
        found: dict[str, Any] = self.api.get(path).raise_for_status().json()
        return found

    def alerts(self, monitor: str) -> set[str]:
        """Return the alerts that fire for a monitor."""
        labels = f'alertstate="firing",namespace="{self.namespace}",monitor="{monitor}"'
        asked = {"query": f"ALERTS{{{labels}}}"}
        answer = self.prometheus.get("/api/v1/query", params=asked).raise_for_status().json()
        return {each["metric"]["alertname"] for each in answer["data"]["result"]}


@contextmanager
def look_out(cluster: Cluster) -> Iterator[Lookout]:
    """Watch the release while the block runs.

    Raises:
        PromtoolError: there is no Prometheus; the message says how to get one.

    """
    program = promtool.find_program("prometheus")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cadastro-drill-")))
        proxy = stack.enter_context(_running(["kubectl", "proxy", "--port=0"], folder / "proxy"))
        served = _served(folder / "proxy", proxy)
        (folder / "rules.yaml").write_text(yaml.safe_dump(_rules(cluster)))
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(_settings(cluster, served)))
        address = f"127.0.0.1:{free_port()}"
        command = [
            program,
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
        ]
        stack.enter_context(_running(command, folder / "log"))
        api = stack.enter_context(httpx.Client(base_url=f"http://{served}", timeout=30))
        alerts = stack.enter_context(httpx.Client(base_url=f"http://{address}", timeout=30))
        _wait_until_ready(alerts, folder / "log")
        yield Lookout(api, alerts, cluster.namespace)


def _rules(cluster: Cluster) -> dict[str, Any]:
    """Return the rules as the chart renders them for this cluster."""
    text = cluster.template(RELEASE, "charts/synthetic", RULES, SETTINGS)
    return rendering.rule_groups([item for item in yaml.safe_load_all(text) if item])


def _settings(cluster: Cluster, served: str) -> dict[str, Any]:
    service = f"services/{RELEASE}-synthetic:http"
    scrape = {
        "job_name": "synthetic",
        "honor_labels": True,  # as the chart's ServiceMonitor has it
        "metrics_path": f"/api/v1/namespaces/{cluster.namespace}/{service}/proxy/metrics",
        "static_configs": [{"targets": [served]}],
    }
    return {
        "global": {"scrape_interval": SCRAPED_EVERY, "evaluation_interval": SCRAPED_EVERY},
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


def _served(log: Path, proxy: subprocess.Popen[bytes]) -> str:
    """Return the address that ``kubectl proxy`` has chosen."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and proxy.poll() is None:
        found = SERVED.search(log.read_text())
        if found:
            return found.group()
        time.sleep(0.1)
    raise ClusterError(f"kubectl proxy does not start: {log.read_text()}")


def _wait_until_ready(prometheus: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        try:
            if prometheus.get("/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise ClusterError(f"Prometheus does not start: {log.read_text()[-500:]}")
