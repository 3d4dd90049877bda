"""The host of the release's Ingress: no other release may serve it."""

import json
import os
from dataclasses import replace
from typing import Any

from tests.e2e.synthetic_monitors import delete_cluster_objects
from tests.support.cluster import E2E_LABEL, INGRESS_HOST, Cluster
from tests.support.steps import StepFailed


def reclaim_host(cluster: Cluster) -> list[str]:
    """Delete namespaces of earlier runs that serve the same host, and return their names.

    An ingress controller merges the rules of one host from all namespaces. One release would
    reject the tokens of another.

    Raises:
        StepFailed: an Ingress of another owner has the same host.

    """
    found = cluster.kubectl("get", "ingress", "-A", "-o", "json", namespaced=False)
    conflicts = [i["metadata"] for i in json.loads(found)["items"] if _has_our_host(i)]
    namespaces = sorted({each["namespace"] for each in conflicts} - {cluster.namespace})
    ours = [name for name in namespaces if _is_test_namespace(cluster, name)]
    for each in conflicts:
        if each["namespace"] in namespaces and each["namespace"] not in ours:
            raise StepFailed(
                f"the Ingress {each['name']} of the namespace {each['namespace']} is for "
                f"{_host() or 'any host'} too: set {INGRESS_HOST} to an unused host name"
            )
    for name in ours:
        old = replace(cluster, namespace=name)
        delete_cluster_objects(old)
        old.remove_namespace(wait=True)
    return ours


def _host() -> str:
    return os.environ.get(INGRESS_HOST, "")


def _has_our_host(ingress: dict[str, Any]) -> bool:
    return any(rule.get("host", "") == _host() for rule in ingress["spec"].get("rules", []))


def _is_test_namespace(cluster: Cluster, namespace: str) -> bool:
    found = cluster.kubectl("get", "namespace", namespace, "-o", "json", namespaced=False)
    return E2E_LABEL in json.loads(found)["metadata"]["labels"]
