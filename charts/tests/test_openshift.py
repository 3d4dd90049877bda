"""Installation on OpenShift, which assigns users to pods and has its DNS pods on another port."""

from typing import Any

import pytest

from scripts.charts.rendering import containers, of_kind, pod_specs, render
from tests.support.chart_manifests import check_manifests

OPENSHIFT = ["--api-versions", "security.openshift.io/v1"]
OPTIONS = {
    "cadastro": ["--set", "test.url=http://x.example"],
    "load": ["--set", "url=http://x.example"],
}
USER_FIELDS = {"runAsUser", "runAsGroup", "fsGroup"}


def users(objects: list[dict[str, Any]]) -> set[str]:
    """Return the fields of all pods and containers that choose a user or a group."""
    specs = [pod for _, pod in pod_specs(objects)]
    parts = [*specs, *(container for pod in specs for container in containers(pod))]
    return USER_FIELDS & {name for part in parts for name in part.get("securityContext", {})}


def dns_ports(objects: list[dict[str, Any]]) -> list[set[int]]:
    """Return the open ports of DNS of each network policy that limits egress."""
    policies = [item["spec"] for item in of_kind(objects, "NetworkPolicy").values()]
    return [
        {port["port"] for rule in policy["egress"] for port in rule["ports"]} & {53, 5353}
        for policy in policies
        if policy.get("egress")
    ]


@pytest.mark.parametrize("chart", sorted(OPTIONS))
def test_openshift_assigns_users_and_its_dns_is_reachable(helm: str, chart: str) -> None:
    objects = render(helm, chart, *OPTIONS[chart], *OPENSHIFT)
    check_manifests(objects)
    assert users(objects) == set()
    assert all(pod["securityContext"]["runAsNonRoot"] for _, pod in pod_specs(objects))
    ports = dns_ports(objects)
    assert ports == [{53, 5353}] * len(ports)


@pytest.mark.parametrize("chart", sorted(OPTIONS))
def test_other_clusters_get_fixed_users(helm: str, chart: str) -> None:
    objects = render(helm, chart, *OPTIONS[chart])
    assert all(pod["securityContext"].keys() >= USER_FIELDS for _, pod in pod_specs(objects))
    ports = dns_ports(objects)
    assert ports == [{53}] * len(ports)


def test_the_operator_gets_probes_without_a_fixed_user_on_openshift(helm: str) -> None:
    def variables(*options: str) -> dict[str, Any]:
        (operator,) = of_kind(render(helm, "synthetic", *options), "Deployment").values()
        (container,) = operator["spec"]["template"]["spec"]["containers"]
        return {one["name"]: one.get("value") for one in container["env"]}

    assert variables(*OPENSHIFT)["PROBE_ASSIGNED_USER"] == "true"
    assert "PROBE_ASSIGNED_USER" not in variables()
