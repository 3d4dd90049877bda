"""The network policies of a release, tried with a connection for every pair of its pods.

A namespace gets the policies, and for each kind of pod of a release one pod with its labels and
its named ports. Policies see nothing else of a pod, so the other namespace keeps this apart from
the release that is in use.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import yaml

from scripts.charts.network_policies import ONLY_CONTROLLER, PodPolicies
from tests.e2e.context import Context
from tests.support.cluster import CHART, RELEASE, Cluster
from tests.support.images import repository
from tests.support.steps import StepFailed, check

PORTS = (8000, 8080, 9000, 5432)  # of services, the operator, metrics and PostgreSQL
API_SERVER_PORTS = (443, 6443)  # of its Service and of itself: a policy may see either
READY_TIMEOUT = "180s"
CALLERS = 4  # at once

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


def check_network_policies(context: Context) -> str:
    """Try every pair of pods and ports, and compare with an evaluation of the policies."""
    cluster, options = context.cluster, [*ONLY_CONTROLLER, "--set=test.url=http://x.example"]
    rendered = cluster.template(RELEASE, CHART, *options)
    objects = [item for item in yaml.safe_load_all(rendered) if item]
    policies = PodPolicies(objects, RELEASE)
    with cluster.scratch_namespace("policies") as place:
        for item in objects:
            item["metadata"]["namespace"] = place.namespace
        applied = [item for item in objects if item["kind"] == "NetworkPolicy"]
        pods = [_pod(place, name, policies) for name in policies.labels]
        place.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*applied, *pods]}))
        place.kubectl(
            "wait", "--for=condition=Ready", "pods", "--all", f"--timeout={READY_TIMEOUT}"
        )
        return _compare(place, policies)


def _pod(cluster: Cluster, name: str, policies: PodPolicies) -> dict[str, Any]:
    """Return a pod with the labels and the named ports of a pod of the release."""
    named = policies.ports.get(name, {})
    container = {
        "name": "copy",
        "image": f"{repository()}/synthetic:{cluster.tag}",
        "command": ["python", "-c", LISTENER.format(ports=PORTS)],
        "ports": [{"name": key, "containerPort": port} for key, port in named.items()],
        "readinessProbe": {"tcpSocket": {"port": PORTS[0]}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spec = {
        "containers": [container],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    metadata = {"name": name, "labels": policies.labels[name]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _compare(cluster: Cluster, policies: PodPolicies) -> str:
    """Return a summary of all connections; raises ``StepFailed`` for each unexpected one."""
    addresses = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in cluster.objects("pods")}
    places = [(target, port) for target in policies.labels for port in PORTS]
    sent = json.dumps([(addresses[target], port) for target, port in places])

    def call(source: str) -> list[bool]:
        found: list[bool] = json.loads(
            cluster.kubectl("exec", source, "--", "python", "-c", CALLER, sent)
        )
        return found

    with ThreadPoolExecutor(CALLERS) as pool:
        observed = dict(zip(policies.labels, pool.map(call, policies.labels), strict=True))
    wrong, opened = [], 0
    for source, (*found, api_server) in observed.items():
        for (target, port), is_open in zip(places, found, strict=True):
            opened += is_open
            if is_open != (source == target or policies.admits(source, target, port)):
                wrong.append(_describe(source, f"{target}:{port}", is_open))
        expected = {policies.reaches(source, port) for port in API_SERVER_PORTS}
        if api_server not in expected:
            wrong.append(_describe(source, "the API server", api_server))
    if wrong:
        raise StepFailed(f"{len(wrong)} connections: {'; '.join(wrong[:10])}")
    check(opened > len(policies.labels), "no connection between pods was open")
    return f"{len(policies.labels)} pods, {len(places) * len(observed)} connections, {opened} open"


def _describe(source: str, target: str, is_open: bool) -> str:  # noqa: FBT001 - an observation
    return f"{source} to {target} is {'open' if is_open else 'closed'}"
