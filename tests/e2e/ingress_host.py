"""Who answers at the address of a trial: it must be the trial alone."""

import json
import os
from dataclasses import replace
from typing import Any

from tests.e2e.monitoring import forget_definition
from tests.support.cluster import INGRESS_HOST, TRIAL, Cluster, ClusterError


def free(cluster: Cluster) -> list[str]:
    """Remove what earlier trials have left at our address; return the names of their namespaces.

    An ingress controller merges rules of one host from all namespaces: a token would come from one
    release, and be refused by another.

    Raises:
        ClusterError: another one's Ingress is for our address too.

    """
    found = cluster.kubectl("get", "ingress", "-A", "-o", "json", namespaced=False)
    rivals = [i["metadata"] for i in json.loads(found)["items"] if _is_at_ours(i)]
    places = sorted({rival["namespace"] for rival in rivals} - {cluster.namespace})
    ours = [place for place in places if _is_a_trials(cluster, place)]
    for rival in rivals:
        if rival["namespace"] in places and rival["namespace"] not in ours:
            message = (
                f"the Ingress {rival['name']} of the namespace {rival['namespace']} is for "
                f"{_host() or 'any host'} too: set {INGRESS_HOST} to a name of the trial's own"
            )
            raise ClusterError(message)
    for place in ours:
        left = replace(cluster, namespace=place)
        forget_definition(left)
        left.remove_namespace(wait=True)
    return ours


def _host() -> str:
    return os.environ.get(INGRESS_HOST, "")


def _is_at_ours(ingress: dict[str, Any]) -> bool:
    return any(rule.get("host", "") == _host() for rule in ingress["spec"].get("rules", []))


def _is_a_trials(cluster: Cluster, namespace: str) -> bool:
    found = cluster.kubectl("get", "namespace", namespace, "-o", "json", namespaced=False)
    return TRIAL in json.loads(found)["metadata"]["labels"]
