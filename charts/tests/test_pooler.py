"""Databases behind a PgBouncer: its users, and the connection limit."""

import pytest

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import (
    CHARTS,
    HelmError,
    containers,
    of_kind,
    pod_specs,
    render,
    standalone_options,
)


def test_only_pods_that_serve_requests_use_the_pooler(helm: str) -> None:
    examples = [str(CHARTS / "examples" / name) for name in ("production.yaml", "scale.yaml")]
    objects = render(helm, "cadastro", *(part for path in examples for part in ("-f", path)))
    urls = {
        (name, container["name"]): variable["valueFrom"]["secretKeyRef"]["name"]
        for name, pod in pod_specs(objects)
        for container in containers(pod)
        for variable in container.get("env", [])
        if variable["name"] == "DATABASE_URL"
    }
    serving = {(f"Deployment/try-{service}", service) for service in SERVICES}
    assert serving <= urls.keys()
    for container, secret in urls.items():
        assert secret.endswith("-pooler" if container in serving else "-database"), container
    policies = of_kind(objects, "NetworkPolicy")
    for service in SERVICES:
        rules = policies[f"try-{service}-egress"]["spec"]["egress"]
        assert {5432, 6432} <= {port["port"] for rule in rules for port in rule["ports"]}
    assert len(of_kind(objects, "HorizontalPodAutoscaler")) == len(SERVICES)


def test_pools_behind_a_pooler_do_not_count_as_server_connections(helm: str) -> None:
    many = ("--set", "database.maxConnections=30,replicas=50")
    with pytest.raises(HelmError, match="may hold"):
        render(helm, "clients", *standalone_options("clients"), *many)
    assert render(
        helm, "clients", *standalone_options("clients"), *many, "--set", "database.poolerSecret=x"
    )
