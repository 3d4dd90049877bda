"""A monitor at two locations, one of which a NetworkPolicy cuts off from the API."""

import json
import time
from functools import partial
from typing import Any

from tests.e2e.connections import NOT_ENFORCED, enforces_network_policies
from tests.e2e.context import Context
from tests.e2e.standalone_chart import NAME, PORT, RELEASE, SERVER, standalone_release
from tests.support import readme_walk
from tests.support.cluster import Cluster
from tests.support.restricted_pod import restricted_pod
from tests.support.steps import wait_until

GROUP = "monitoring.cadastro.dev"
NEAR, FAR = "near", "far"
VERDICT_TIMEOUT_SECONDS = 120.0
CLOSED = "networkPolicy.targetPorts={443}"  # the policies of the test open the port of the API


def check_locations(context: Context) -> str:
    """Cut off a location: the verdict follows the quorum, and the JSON names the location."""
    if not enforces_network_policies(context.cluster):
        return NOT_ENFORCED
    with context.cluster.scratch_namespace("locations") as cluster:
        _prepare(cluster)
        with standalone_release(cluster, "--set", CLOSED):
            _apply(cluster, _monitor())
            _expect(cluster, "Passing", {NEAR: "up", FAR: "up"})
            cluster.kubectl("delete", "networkpolicy", FAR)
            _expect(cluster, "BelowQuorum", {NEAR: "up", FAR: "down"})
            _set_quorum(cluster, 1)
            _expect(cluster, "Failing", {NEAR: "up", FAR: "down"})
            _apply(cluster, _admission(FAR))
            _expect(cluster, "Passing", {NEAR: "up", FAR: "up"})
    return "one of two locations was cut off: tolerated, failing with a quorum of 1, recovered"


def _prepare(cluster: Cluster) -> None:
    """Create the API with its journey, and admit both locations to it."""
    files = readme_walk.files(readme_walk.synthetic_walk())
    journey = {name.rpartition("/")[2]: text for name, text in files.items() if "library/" in name}
    labels = {"app": NAME}
    service = {"selector": labels, "ports": [{"port": PORT}]}
    _apply(
        cluster,
        restricted_pod(NAME, labels, cluster.tag, ("python", "-c", SERVER), PORT),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": service},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": journey},
        *map(_admission, (NEAR, FAR)),
    )
    cluster.kubectl("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=60s")


def _admission(location: str) -> dict[str, Any]:
    """Return the policy that lets the probes of a location reach the API."""
    ports = [{"port": PORT}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": location},
        "spec": {
            "podSelector": {"matchLabels": {f"{GROUP}/location": location}},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"podSelector": {"matchLabels": {"app": NAME}}}], "ports": ports}],
        },
    }


def _monitor() -> dict[str, Any]:
    nodes = {"nodeSelector": {"kubernetes.io/os": "linux"}}
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "SyntheticMonitor",
        "metadata": {"name": NAME},
        "spec": {
            "journey": "read-a-book",
            "journeyFrom": {"configMapKeyRef": {"name": NAME, "key": "arazzo.yaml"}},
            "target": {"service": {"name": NAME, "port": PORT}},
            "interval": "1h",  # only requested runs
            "thresholds": {"failures": 1, "outOf": 1},
            "locations": [{"name": NEAR, **nodes}, {"name": FAR, **nodes}],
        },
    }


def _set_quorum(cluster: Cluster, quorum: int) -> None:
    change = json.dumps({"spec": {"quorum": quorum}})
    cluster.kubectl("patch", "synmon", NAME, "--type=merge", "-p", change)


def _expect(cluster: Cluster, reason: str, states: dict[str, str]) -> None:
    """Request runs until the verdict and the states are those; a policy applies after a moment."""
    seen: dict[str, Any] = {}

    def is_reached() -> bool:
        annotation = f"{GROUP}/run-requested-at={time.time()}"
        cluster.kubectl("annotate", "synmon", NAME, annotation, "--overwrite")
        seen.update(_shown(cluster))
        found = {each["name"]: each["state"] for each in seen.get("locations", [])}
        return found == states and seen["conditions"]["healthy"]["reason"] == reason

    message = partial("the locations are not {}, {}: {}".format, reason, states, seen)
    wait_until(is_reached, VERDICT_TIMEOUT_SECONDS, message, interval=3.0)


def _shown(cluster: Cluster) -> dict[str, Any]:
    """Return the monitor as the operator shows it; nothing before it has seen the monitor."""
    (name,) = (
        each["metadata"]["name"]
        for each in cluster.objects("services")
        if each["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == RELEASE
    )
    listed = cluster.proxy_get(f"services/{name}:http", "/api/v1/monitors")
    found: list[dict[str, Any]] = json.loads(listed)["monitors"]
    return next((each for each in found if each["name"] == NAME), {})


def _apply(cluster: Cluster, *items: dict[str, Any]) -> None:
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}))
