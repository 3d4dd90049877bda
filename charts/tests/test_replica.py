"""Streaming replicas for lists and fetches."""

import pytest

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import HelmError, containers, of_kind, pod_specs, render

PORT = 6543
READERS = set(SERVICES) - {"auth"}
VALUES = [
    f"{name}.database.{value}"
    for name in READERS
    for value in ("replicaSecret=r", f"replicaPort={PORT}")
]


def test_only_pods_that_serve_requests_of_readers_use_the_replica(helm: str) -> None:
    objects = render(helm, "cadastro", "--set", ",".join(VALUES))
    readers = {
        (name, container["name"])
        for name, pod in pod_specs(objects)
        for container in containers(pod)
        for variable in container.get("env", [])
        if variable["name"] == "READ_DATABASE_URL"
        and variable["valueFrom"]["secretKeyRef"] == {"name": "r", "key": "DATABASE_URL"}
    }
    assert readers == {(f"Deployment/try-{name}", name) for name in READERS}
    for name in SERVICES:
        rules = of_kind(objects, "NetworkPolicy")[f"try-{name}-egress"]["spec"]["egress"]
        ports = {port["port"] for rule in rules for port in rule["ports"]}
        assert (PORT in ports) == (name in READERS), name


def test_auth_has_no_replica(helm: str) -> None:
    with pytest.raises(HelmError, match="replicaSecret"):
        render(helm, "cadastro", "--set", "auth.database.replicaSecret=r")
