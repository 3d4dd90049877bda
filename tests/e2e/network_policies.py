"""The network policies of a release, tried with a connection for every pair of its pods.

A namespace gets the policies, and for each kind of pod of a release one pod with its labels and
its named ports. Policies see nothing else of a pod, so the other namespace keeps this apart from
the release that is in use.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import yaml

from scripts.charts.network_policies import ONLY_CONTROLLER, PodPolicies
from tests.e2e.connections import (
    ENFORCEMENT_SECONDS,
    NOT_ENFORCED,
    enforces_network_policies,
    listener,
    open_connections,
    start,
)
from tests.e2e.context import Context
from tests.support.cluster import CHART, RELEASE, Cluster
from tests.support.steps import StepFailed

PORTS = (8000, 8080, 9000, 5432)  # of services, the operator, metrics and PostgreSQL
API_SERVER, API_SERVER_PORTS = ("the API server", 443), (443, 6443)
CALLERS = 4  # at once


def check_network_policies(context: Context) -> str:
    """Try every pair of pods and ports, and compare with an evaluation of the policies."""
    if not enforces_network_policies(context.cluster):
        return NOT_ENFORCED
    cluster, options = context.cluster, [*ONLY_CONTROLLER, "--set=test.url=http://x.example"]
    rendered = cluster.template(RELEASE, CHART, *options)
    objects = [item for item in yaml.safe_load_all(rendered) if item]
    policies = PodPolicies(objects, RELEASE)
    with cluster.scratch_namespace("policies") as place:
        for item in objects:
            item["metadata"]["namespace"] = place.namespace
        applied = [item for item in objects if item["kind"] == "NetworkPolicy"]
        pods = [_pod(place, name, policies) for name in policies.labels]
        start(place, *applied, *pods)
        return _compare(place, policies)


def _pod(cluster: Cluster, name: str, policies: PodPolicies) -> dict[str, Any]:
    """Return a pod with the labels and the named ports of a pod of the release."""
    named = policies.ports.get(name, {})
    pod = listener(cluster, name, policies.labels[name], PORTS)
    (container,) = pod["spec"]["containers"]
    container["ports"] = [{"name": key, "containerPort": port} for key, port in named.items()]
    return pod


def _compare(cluster: Cluster, policies: PodPolicies) -> str:
    """Return a summary of all connections; raises ``StepFailed`` if one stays unexpected."""
    deadline = time.monotonic() + ENFORCEMENT_SECONDS
    while True:
        observed = _observe(cluster, policies)
        opened = sum(observed.values())
        wrong = [
            f"{source} to {target}:{port} is {'open' if is_open else 'closed'}"
            for (source, target, port), is_open in observed.items()
            if not _is_expected(policies, source, target, port, is_open)
        ]
        if not wrong:
            return f"{len(policies.labels)} pods, {len(observed)} connections, {opened} are open"
        if time.monotonic() > deadline:
            raise StepFailed(f"{len(wrong)} connections: {'; '.join(wrong[:10])}")


def _observe(cluster: Cluster, policies: PodPolicies) -> dict[tuple[str, str, int], bool]:
    """Return whether each connection is open, by source, target and port."""
    addresses = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in cluster.objects("pods")}
    places = [(target, port) for target in policies.labels for port in PORTS]
    targets = [(addresses[target], port) for target, port in places]
    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(
            pool.map(lambda source: open_connections(cluster, source, targets), policies.labels)
        )
    return {
        (source, *place): is_open
        for source, found in zip(policies.labels, answers, strict=True)
        for place, is_open in zip([*places, API_SERVER], found, strict=True)
    }


def _is_expected(
    policies: PodPolicies,
    source: str,
    target: str,
    port: int,
    is_open: bool,  # noqa: FBT001 - an observation
) -> bool:
    if (target, port) == API_SERVER:  # a policy may see the port of the Service or of the server
        return is_open in {policies.reaches(source, each) for each in API_SERVER_PORTS}
    return is_open == (source == target or policies.admits(source, target, port))
