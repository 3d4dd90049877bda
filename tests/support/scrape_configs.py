"""Scrape configurations of Prometheus for releases on a cluster, through the API server's proxy.

The labels are those that the Prometheus operator sets for the charts' ServiceMonitor and
PodMonitors.
"""

import re
from typing import Any

from tests.support.cluster import RELEASE, Cluster

PORT_NAME = "metrics"
POD_TARGET_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/instance")


def operator_scrape(cluster: Cluster, api_address: str) -> dict[str, Any]:
    """Return the scrape configuration of the operator of a release."""
    service = f"services/{RELEASE}-synthetic:http"
    labels = {"service": f"{RELEASE}-synthetic", "operator_namespace": cluster.namespace}
    return {
        "job_name": f"operator of {cluster.namespace}",
        "honor_labels": True,
        "metrics_path": f"/api/v1/namespaces/{cluster.namespace}/{service}/proxy/metrics",
        "static_configs": [{"targets": [api_address], "labels": labels}],
    }


def pod_scrape(cluster: Cluster, api_address: str) -> dict[str, Any]:
    """Return the scrape configuration of the present pods of a release with a port ``metrics``.

    Debian's Prometheus cannot discover pods.
    """
    targets = [
        _target(pod["metadata"], port["containerPort"], api_address)
        for pod in cluster.objects("pods")
        for container in pod["spec"]["containers"]
        for port in container.get("ports", ())
        if port.get("name") == PORT_NAME
    ]
    return {"job_name": f"pods of {cluster.namespace}", "static_configs": targets}


def _target(metadata: dict[str, Any], port: int, api_address: str) -> dict[str, Any]:
    namespace, pod = metadata["namespace"], metadata["name"]
    labels = {
        "__metrics_path__": f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/metrics",
        "namespace": namespace,
        "pod": pod,
        **{_label(name): metadata["labels"][name] for name in POD_TARGET_LABELS},
    }
    return {"targets": [api_address], "labels": labels}


def _label(name: str) -> str:
    """Return the Prometheus label of a Kubernetes label."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)
