"""Rendered objects of the charts, and rejection of invalid values."""

import re
import subprocess
from typing import Any

import pytest

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import (
    CHARTS,
    EXAMPLES,
    HelmError,
    containers,
    of_kind,
    pod_specs,
    render,
    standalone_options,
)
from tests.support.chart_manifests import check_schema

VARIANTS: list[tuple[str, ...]] = [
    (),
    *[("--values", str(example)) for example in EXAMPLES],
    ("--set", "ingress.host=x.example,ingress.tlsSecret=x"),
    ("--set", "test.url=http://x.example"),
    ("--set", "clients.autoscaling.enabled=true,clients.validation=format"),
    ("--set", "clients.image.pullSecrets[0].name=pull,global.image.registry=r.example"),
]


@pytest.mark.parametrize("chart", ["cadastro", *SERVICES])
def test_helm_lint_passes(all_helms: list[str], chart: str) -> None:
    for helm in all_helms:
        options = [] if chart == "cadastro" else standalone_options(chart)
        command = [helm, "lint", "--strict", str(CHARTS / chart), *options]
        command += ["--kube-version", "1.34.0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("options", VARIANTS)
def test_objects_match_kubernetes_schemas(helm: str, options: tuple[str, ...]) -> None:
    for item in render(helm, "cadastro", *options):
        check_schema(item)


@pytest.mark.parametrize("options", VARIANTS)
def test_all_helm_versions_render_the_same_objects(
    all_helms: list[str], options: tuple[str, ...]
) -> None:
    if len(all_helms) == 1:
        pytest.skip("there is one Helm here")

    def shape(helm: str) -> list[dict[str, Any]]:
        objects = [item for item in render(helm, "cadastro", *options) if item["kind"] != "Secret"]
        return sorted(objects, key=lambda item: (item["kind"], item["metadata"]["name"]))

    shapes = [shape(helm) for helm in all_helms]
    assert all(each == shapes[0] for each in shapes)


def test_pods_meet_the_restricted_pod_security_standard(helm: str) -> None:
    seen = 0
    for name, pod in pod_specs(render(helm, "cadastro", "--set", "test.url=http://x.example")):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in containers(pod):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            assert container["resources"]["requests"]["cpu"], name
            seen += 1
    assert seen > 10


def test_services_have_probes_and_drain_before_termination(helm: str) -> None:
    deployments = of_kind(render(helm, "cadastro"), "Deployment")
    for service in SERVICES:
        spec = deployments[f"try-{service}"]["spec"]
        assert spec["replicas"] == 2
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        (container,) = spec["template"]["spec"]["containers"]
        assert container["readinessProbe"]["httpGet"]["path"] == "/-/ready"
        assert container["livenessProbe"]["httpGet"]["path"] == "/-/live"
        drain = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert drain < spec["template"]["spec"]["terminationGracePeriodSeconds"]


def test_pods_that_do_not_drain_have_no_sleep(helm: str) -> None:
    # Kubernetes accepts a sleep of 0 s only from 1.33 on
    objects = render(helm, "cadastro", "--set", "clients.drainSeconds=0")
    (container,) = next(
        spec["containers"] for name, spec in pod_specs(objects) if name == "Deployment/try-clients"
    )
    assert "lifecycle" not in container


def test_clients_and_products_have_relays(helm: str) -> None:
    deployments = of_kind(render(helm, "cadastro"), "Deployment")
    assert {name for name in deployments if name.endswith("-relay")} == {
        "try-clients-relay",
        "try-products-relay",
    }


def test_metrics_port_is_scraped_and_not_exposed_by_a_service(helm: str) -> None:
    on = [f"{chart}.metrics.prometheusOperator=true" for chart in SERVICES]
    objects = render(helm, "cadastro", "--set", ",".join(on))
    monitors = of_kind(objects, "PodMonitor")
    assert monitors.keys() == {f"try-{service}" for service in SERVICES}
    scraped = set()
    for name, deployment in of_kind(objects, "Deployment").items():
        template = deployment["spec"]["template"]
        (container,) = template["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for monitor in monitors.values():
            selector = monitor["spec"]["selector"]["matchLabels"].items()
            if selector <= template["metadata"]["labels"].items():
                (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
                bind = next(e["value"] for e in container["env"] if e["name"] == "METRICS_BIND")
                assert bind == f"0.0.0.0:{ports[endpoint['port']]}"
                scraped.add(name)
    relays = {"try-clients-relay", "try-products-relay"}
    assert scraped == {f"try-{service}" for service in SERVICES} | relays
    for service in of_kind(objects, "Service").values():
        for port in service["spec"]["ports"]:
            assert port.get("targetPort") not in {"metrics", 9000}


def test_migration_job_gets_a_new_name_when_its_pod_template_changes(helm: str) -> None:
    def name(*options: str) -> str:
        jobs = of_kind(render(helm, "cadastro", *options), "Job")
        found: str = next(job for job in jobs if "clients" in job)
        return found

    assert name() == name("--set", "clients.logLevel=DEBUG")
    changed = [
        "global.image.tag=v2",
        "clients.resources.limits.memory=1Gi",
        "clients.database.existingSecret=other",
    ]
    assert len({name(), *(name("--set", change) for change in changed)}) == 4


@pytest.mark.parametrize(
    ("chart", "setting", "named"),
    [
        ("cadastro", "ingres.enabled=false", "ingres"),
        ("cadastro", "clients.replica=3", "replica"),
        ("cadastro", "clients.replicas=many", "replicas"),
        ("cadastro", "clients.validation=lax", "validation"),
        ("cadastro", "postgresql.storage=lots", "storage"),
        ("cadastro", "ingress.tlsSecret=x", "ingress.host"),
        ("cadastro", "global.gateway.enabled=true", "global.gateway.parentRefs"),
        ("cadastro", "global.postgresql.enabled=false", "database.existingSecret"),
        ("cadastro", "global.generateSecrets=false", "existingSecret"),
        ("cadastro", "clients.replicas=20", "postgresql.maxConnections"),
        ("cadastro", "inventory.threads=64", "postgresql.maxConnections"),
        (
            "cadastro",
            "clients.autoscaling.minReplicas=9,clients.autoscaling.enabled=true",
            "minReplicas",
        ),
        ("cadastro", "inventory.reconcile.schedule=5m", "schedule"),
        (
            "cadastro",
            "clients.autoscaling.enabled=true,clients.autoscaling.maxReplicas=2,clients.resources=null",
            "resources.requests.cpu",
        ),
        ("clients", "replicas=1", "database.existingSecret"),
        ("clients", "database.existingSecret=x", "oauthClients.existingSecret"),
        ("auth", "database.existingSecret=x,oauthClients.existingSecret=y", "signingKeys"),
    ],
)
def test_invalid_or_missing_value_is_named_in_the_error(
    all_helms: list[str], chart: str, setting: str, named: str
) -> None:
    for helm in all_helms:
        with pytest.raises(HelmError, match=re.escape(named)):
            render(helm, chart, "--set", setting)


@pytest.mark.parametrize("service", SERVICES)
def test_the_target_of_the_autoscaler_may_be_above_the_request(helm: str, service: str) -> None:
    values = f"{service}.autoscaling.enabled=true,{service}.autoscaling.cpuPercent=1200"
    objects = render(helm, "cadastro", "--set", f"{values},postgresql.maxConnections=900")
    (scaler,) = of_kind(objects, "HorizontalPodAutoscaler").values()
    (metric,) = scaler["spec"]["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == 1200


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_chart_can_be_installed_on_its_own(helm: str, service: str) -> None:
    objects = render(helm, service, *standalone_options(service))
    assert f"try-{service}" in of_kind(objects, "Deployment")
