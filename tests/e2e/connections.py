"""Connections between pods, and whether the cluster enforces NetworkPolicies at all."""

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from tests.support.cluster import Cluster
from tests.support.restricted_pod import restricted_pod

NOT_ENFORCED = "skipped: this cluster does not enforce NetworkPolicies"
ENFORCEMENT_SECONDS = 60.0  # until a policy applies to a new pod
READY_TIMEOUT = "180s"
PORT = 8000

LISTENER = """
import socket, threading
for port in {ports}:
    server = socket.create_server(("", port), backlog=200)
    threading.Thread(target=lambda s=server: [s.accept()[0].close() for _ in iter(int, 1)]).start()
"""
CALLER = """
import json, os, socket, sys
from concurrent.futures import ThreadPoolExecutor

def is_open(place):
    try:
        socket.create_connection(place, 2).close()
    except OSError:
        return False
    return True

places = [tuple(place) for place in json.loads(sys.argv[1])]
places.append((os.environ["KUBERNETES_SERVICE_HOST"], 443))
with ThreadPoolExecutor(len(places)) as pool:
    print(json.dumps(list(pool.map(is_open, places))))
"""
DENY_ALL = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny-all"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
}


def listener(
    cluster: Cluster, name: str, labels: dict[str, str], ports: Sequence[int]
) -> dict[str, Any]:
    """Return a pod that accepts connections at its ports, and from which others can be opened."""
    command = ("python", "-c", LISTENER.format(ports=tuple(ports)))
    return restricted_pod(name, labels, cluster.tag, command, ports[0])


def open_connections(
    cluster: Cluster, source: str, places: Sequence[tuple[str, int]]
) -> list[bool]:
    """Return whether each place accepts a connection from a pod, and last the API server."""
    command = ("exec", source, "--", "python", "-c", CALLER, json.dumps(places))
    found: list[bool] = json.loads(cluster.kubectl(*command))
    return found


def start(cluster: Cluster, *items: dict[str, Any]) -> None:
    """Create objects, and wait until the pods of the namespace are ready."""
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}))
    cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", f"--timeout={READY_TIMEOUT}")


def enforces_network_policies(cluster: Cluster) -> bool:
    """Try whether a policy that denies everything closes a connection between two pods."""
    with cluster.scratch_namespace(f"enforcement-{uuid.uuid4().hex[:4]}") as place:
        start(place, DENY_ALL, *(listener(place, name, {}, (PORT,)) for name in ("from", "to")))
        (address,) = (
            pod["status"]["podIP"]
            for pod in place.objects("pods")
            if pod["metadata"]["name"] == "to"
        )
        deadline = time.monotonic() + ENFORCEMENT_SECONDS
        while open_connections(place, "from", [(address, PORT)])[0]:
            if time.monotonic() > deadline:
                return False
            time.sleep(1)
        return True
