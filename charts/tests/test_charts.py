"""The charts: what they make is valid, safe and told; what they are told wrongly they refuse."""

import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from rendering import (
    CHARTS,
    EXAMPLES,
    HelmError,
    alone,
    containers,
    of_kind,
    pods,
    render,
)

from localstack import catalogue
from localstack.catalogue import SERVICES

VARIANTS: list[tuple[str, ...]] = [
    (),
    *[("--values", str(example)) for example in EXAMPLES],
    ("--set", "ingress.host=x.example,ingress.tlsSecret=x"),
    ("--set", "test.url=http://x.example"),
    ("--set", "clients.autoscaling.enabled=true,clients.validation=format"),
    ("--set", "clients.image.pullSecrets[0].name=pull,global.image.registry=r.example"),
]
FOREIGN = {
    "HTTPRoute",
    "PodMonitor",
    "PrometheusRule",
    "ServiceMonitor",
}  # kinds whose schemas are not Kubernetes' own


@pytest.mark.parametrize("chart", ["cadastro", *SERVICES])
def test_a_chart_passes_helms_own_lint(all_helms: list[str], chart: str) -> None:
    for helm in all_helms:
        options = [] if chart == "cadastro" else alone(chart)
        command = [helm, "lint", "--strict", str(CHARTS / chart), *options]
        command += ["--kube-version", "1.34.0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("options", VARIANTS)
def test_every_object_fits_kubernetes_schemas(helm: str, options: tuple[str, ...]) -> None:
    for item in render(helm, "cadastro", *options):
        if item["kind"] not in FOREIGN:
            kubernetes_validate.validate(item, "1.34", strict=True)


@pytest.mark.parametrize("options", VARIANTS)
def test_every_helm_makes_the_same(all_helms: list[str], options: tuple[str, ...]) -> None:
    def shape(helm: str) -> list[dict[str, Any]]:
        objects = [item for item in render(helm, "cadastro", *options) if item["kind"] != "Secret"]
        return sorted(objects, key=lambda item: (item["kind"], item["metadata"]["name"]))

    shapes = [shape(helm) for helm in all_helms]
    assert all(each == shapes[0] for each in shapes)


def test_every_pod_meets_the_restricted_standard(helm: str) -> None:
    seen = 0
    for name, pod in pods(render(helm, "cadastro", "--set", "test.url=http://x.example")):
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


def test_a_service_drains_before_it_stops_and_is_asked_whether_it_is_ready(helm: str) -> None:
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


def test_clients_and_products_have_relays(helm: str) -> None:
    deployments = of_kind(render(helm, "cadastro"), "Deployment")
    assert {name for name in deployments if name.endswith("-relay")} == {
        "try-clients-relay",
        "try-products-relay",
    }


def test_every_pod_that_counts_is_scraped_on_a_port_that_no_service_has(helm: str) -> None:
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
            wanted = monitor["spec"]["selector"]["matchLabels"].items()
            if wanted <= template["metadata"]["labels"].items():
                (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
                bind = next(e["value"] for e in container["env"] if e["name"] == "METRICS_BIND")
                assert bind == f"0.0.0.0:{ports[endpoint['port']]}"
                scraped.add(name)
    relays = {"try-clients-relay", "try-products-relay"}
    assert scraped == {f"try-{service}" for service in SERVICES} | relays
    for service in of_kind(objects, "Service").values():
        for port in service["spec"]["ports"]:
            assert port.get("targetPort") not in {"metrics", 9000}


def test_a_migrations_job_is_another_one_when_anything_in_it_is(helm: str) -> None:
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


def test_the_routes_are_the_first_segments_that_the_contracts_have(helm: str) -> None:
    (ingress,) = of_kind(render(helm, "cadastro"), "Ingress").values()
    routes = {
        path["path"]: path["backend"]["service"]["name"]
        for path in ingress["spec"]["rules"][0]["http"]["paths"]
    }
    answered = catalogue.routes()  # by the contracts
    assert routes == {path: f"try-{name}" for name, paths in answered.items() for path in paths}


def test_each_service_has_its_own_secret_and_no_other(helm: str) -> None:
    for service, deployment in of_kind(render(helm, "cadastro"), "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        for volume in pod["volumes"]:
            secret = volume.get("secret", {})
            if secret.get("secretName") == "try-oauth-clients" and service != "try-auth":
                name = service.removeprefix("try-").removesuffix("-relay")
                assert [item["key"] for item in secret["items"]] == [name]


def test_a_service_may_call_peers_of_another_release(helm: str) -> None:
    url = "peers.auth=https://sso.example,peers.inventory=http://stock.example:81"
    objects = render(helm, "clients", *alone("clients"), "--set", url)
    (container,) = of_kind(objects, "Deployment")["try-clients"]["spec"]["template"]["spec"][
        "containers"
    ]
    told = {item["name"]: item.get("value") for item in container["env"]}
    assert told["JWKS_URL"] == "https://sso.example/users/jwks.json"
    assert told["TOKEN_URL"] == "https://sso.example/users/token"
    assert told["INVENTORY_URL"] == "http://stock.example:81"
    egress = of_kind(objects, "NetworkPolicy")["try-clients"]["spec"]["egress"]
    assert {"ports": [{"port": 443}]} in egress
    assert {"ports": [{"port": 81}]} in egress


def test_a_service_calls_whom_the_architecture_says_and_nobody_else(helm: str) -> None:
    policies = of_kind(render(helm, "cadastro"), "NetworkPolicy")
    called = {
        service: {
            target["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
            for rule in policies[f"try-{service}"]["spec"]["egress"]
            for target in rule.get("to", [])
        }
        for service in SERVICES
    }
    assert called == {
        "auth": set(),
        "clients": {"auth", "inventory"},
        "products": {"auth", "inventory"},
        "inventory": {"auth", "clients", "products"},
    }


def test_a_sweep_gets_the_database_and_no_other_secret(helm: str) -> None:
    jobs = of_kind(render(helm, "cadastro"), "CronJob")
    sweeps = {f"try-{service}-sweep" for service in SERVICES}
    assert jobs.keys() == sweeps | {"try-inventory-reconcile"}
    for name, pod in pods(list(jobs.values())):
        (container,) = pod["containers"]
        if name.endswith("sweep"):
            assert [item["name"] for item in container["env"]] == ["DATABASE_URL"]
            assert "volumes" not in pod
        else:
            assert container["command"] == ["python", "-m", "inventory.reconcile"]
    for job in jobs.values():
        assert job["spec"]["concurrencyPolicy"] == "Forbid"


def test_no_secret_is_the_same_twice_and_none_is_in_the_values(helm: str) -> None:
    first, second = (of_kind(render(helm, "cadastro"), "Secret") for _ in range(2))
    assert first.keys() == second.keys()
    for name, secret in first.items():
        assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        assert secret.get("data", secret.get("stringData")) != second[name].get(
            "data", second[name].get("stringData")
        )
    text = "".join(
        (CHARTS / chart / "values.yaml").read_text() for chart in ("cadastro", *SERVICES)
    )
    assert not re.search(r"(?i)(password|token):\s*\S", text)


def test_helm_test_buys_with_the_monitors_secret_and_no_other(helm: str) -> None:
    assert not of_kind(render(helm, "cadastro"), "Pod")  # nobody said where
    settings = "ingress.host=x.example,ingress.tlsSecret=x,auth.oauthClients.existingSecret=mine"
    (pod,) = of_kind(render(helm, "cadastro", "--set", settings), "Pod").values()
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    (container,) = pod["spec"]["containers"]
    assert container["args"][:4] == ["probe", "inventory-purchase", "--url", "https://x.example"]
    (secret,) = [volume["secret"] for volume in pod["spec"]["volumes"] if "secret" in volume]
    assert secret["secretName"] == "mine"
    assert [item["key"] for item in secret["items"]] == ["synthetic"]


def test_production_makes_no_secret_and_no_database(helm: str) -> None:
    objects = render(helm, "cadastro", "--values", str(CHARTS / "examples" / "production.yaml"))
    assert not of_kind(objects, "Secret")
    assert not of_kind(objects, "PersistentVolumeClaim")
    assert not of_kind(objects, "StatefulSet")
    assert "replicas" not in of_kind(objects, "Deployment")["try-clients"]["spec"]
    assert of_kind(objects, "HorizontalPodAutoscaler").keys() == {"try-clients"}


@pytest.mark.parametrize(
    ("chart", "setting", "told"),
    [
        ("cadastro", "ingres.enabled=false", "ingres"),
        ("cadastro", "clients.replica=3", "replica"),
        ("cadastro", "clients.replicas=many", "replicas"),
        ("cadastro", "clients.validation=lax", "validation"),
        ("cadastro", "postgresql.storage=lots", "storage"),
        ("cadastro", "ingress.tlsSecret=x", "ingress.host"),
        ("cadastro", "gateway.enabled=true", "gateway.parentRefs"),
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
        ("clients", "replicas=1", "database.existingSecret"),
        ("clients", "database.existingSecret=x", "oauthClients.existingSecret"),
        ("auth", "database.existingSecret=x,oauthClients.existingSecret=y", "signingKeys"),
    ],
)
def test_a_wrong_or_missing_value_is_named(
    all_helms: list[str], chart: str, setting: str, told: str
) -> None:
    for helm in all_helms:
        with pytest.raises(HelmError, match=re.escape(told)):
            render(helm, chart, "--set", setting)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_be_installed_alone(helm: str, service: str) -> None:
    objects = render(helm, service, *alone(service))
    assert f"try-{service}" in of_kind(objects, "Deployment")


def test_the_examples_say_how_to_be_used() -> None:
    assert EXAMPLES
    for example in EXAMPLES:
        assert Path(example).read_text().startswith("# ")


def test_only_what_answers_requests_goes_through_a_pooler(helm: str) -> None:
    examples = [str(CHARTS / "examples" / name) for name in ("production.yaml", "scale.yaml")]
    objects = render(helm, "cadastro", *(part for path in examples for part in ("-f", path)))
    urls = {
        (name, container["name"]): variable["valueFrom"]["secretKeyRef"]["name"]
        for name, pod in pods(objects)
        for container in containers(pod)
        for variable in container.get("env", [])
        if variable["name"] == "DATABASE_URL"
    }
    answering = {(f"Deployment/try-{service}", service) for service in SERVICES}
    assert answering <= urls.keys()
    for part, secret in urls.items():
        assert secret.endswith("-pooler" if part in answering else "-database"), part
    for service, policy in of_kind(objects, "NetworkPolicy").items():
        ports = {p["port"] for rule in policy["spec"].get("egress", []) for p in rule["ports"]}
        assert {5432, 6432} <= ports or service.removeprefix("try-") not in SERVICES
    assert len(of_kind(objects, "HorizontalPodAutoscaler")) == len(SERVICES)


def test_pools_that_end_at_a_pooler_hold_no_connection_of_the_server(helm: str) -> None:
    many = ("--set", "database.maxConnections=30,replicas=50")
    with pytest.raises(HelmError, match="may hold"):
        render(helm, "clients", *alone("clients"), *many)
    assert render(helm, "clients", *alone("clients"), *many, "--set", "database.poolerSecret=x")
