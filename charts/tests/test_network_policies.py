"""Connections that the network policies of a release admit, for every pair of its pods."""

from typing import Any

import pytest
import yaml

from devstack.service_catalog import SERVICES
from scripts.charts.network_policies import ONLY_CONTROLLER, PORTS, PodPolicies
from scripts.charts.rendering import CHARTS, EXAMPLES, HelmError, of_kind, pod_specs, render
from tests.support.chart_manifests import check_manifests

S3 = "backup.s3.bucket=store,backup.s3.endpoint=https://x.example,backup.s3.existingSecret=x"
BACKUP = ("--set", f"backup.enabled=true,{S3}")
CALLS = {
    "auth": set(),
    "clients": {"auth", "inventory"},
    "products": {"auth", "inventory"},
    "inventory": {"auth", "clients", "products"},
}


@pytest.fixture
def pods(helm: str) -> PodPolicies:
    """The pods of a release whose ingress controller alone may call the services."""
    return PodPolicies(
        render(helm, "cadastro", *ONLY_CONTROLLER, "--set", "test.url=http://x.example", *BACKUP)
    )


def test_the_services_admit_their_callers_and_the_ingress_controller(pods: PodPolicies) -> None:
    callers = {
        service: {
            source for source in pods.labels if pods.admits(source, f"{service}-service", 8000)
        }
        for service in SERVICES
    }
    for service, found in callers.items():
        calling = {name for name, called in CALLS.items() if service in called}
        own = {
            f"{name}-{component}"
            for name in calling
            for component in ("service", "relay", "reconcile", "restore")
        }
        assert found == {"controller"} | (own & pods.labels.keys()), service


def test_the_table_of_connections_is_that_of_the_policies(pods: PodPolicies) -> None:
    assert pods.table() in (CHARTS.parent / "docs" / "kubernetes.md").read_text()


def test_postgresql_admits_only_pods_that_use_a_database(pods: PodPolicies) -> None:
    found = {source for source in pods.labels if pods.admits(source, "postgresql-database", 5432)}
    components = ("service", "relay", "migration", "sweep", "reconcile")
    expected = {f"{service}-{component}" for service in SERVICES for component in components}
    backups = {"backup-backup", "inventory-restore"}
    assert found == (expected & pods.labels.keys()) | backups
    assert len(found) == 3 * len(SERVICES) + 3 + len(backups)


def test_backups_reach_the_database_and_s3_alone(helm: str, pods: PodPolicies) -> None:
    for source in ("backup-backup", "inventory-restore"):
        assert pods.reaches(source, 443)
        assert not any(pods.reaches(source, port) for port in (80, 5432, 6443, 8000))
    reached = {
        target
        for target in pods.labels.keys() - {"backup-backup", "controller", "stranger"}
        if any(pods.admits("backup-backup", target, port) for port in PORTS)
    }
    assert reached == {"postgresql-database"}
    narrow = '[{"podSelector": {"matchLabels": {"app": "s3"}}}]'
    closed = PodPolicies(
        render(helm, "cadastro", *BACKUP, "--set-json", f"backup.networkPolicy.s3To={narrow}")
    )
    assert not closed.reaches("backup-backup", 443)
    volume = "backup.enabled=true,backup.existingClaim=x"
    assert not PodPolicies(render(helm, "cadastro", "--set", volume)).reaches("backup-backup", 443)
    external = "backup.database.existingSecret=x,backup.database.port=6000"
    assert PodPolicies(render(helm, "cadastro", *BACKUP, "--set", external)).reaches(
        "inventory-restore", 6000
    )


def test_the_operator_reaches_the_api_server_and_nothing_of_the_release(pods: PodPolicies) -> None:
    assert pods.reaches("synthetic-operator", 443)
    assert pods.reaches("synthetic-operator", 6443)
    for target in pods.labels.keys() - {"controller", "stranger"}:
        for port in PORTS:
            assert not pods.admits("synthetic-operator", target, port), target
    assert not pods.reaches("synthetic-operator", 5432)


def test_probes_reach_targets_and_no_service_or_database(pods: PodPolicies) -> None:
    assert all(pods.reaches("probe", port) for port in (80, 443, 8000, 8443))
    assert not any(pods.reaches("probe", port) for port in (22, 5432, 6443, 9000))
    assert not pods.admits("stranger", "probe", 8080)
    for target in pods.labels.keys() - {"controller", "stranger", "synthetic-operator"}:
        for port in PORTS:
            assert not pods.admits("probe", target, port), target


def test_every_pod_has_rules_of_its_own_beside_a_policy_that_denies_all(helm: str) -> None:
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    objects = render(helm, "cadastro", "--set", "test.url=https://x.example:9443")
    denied = {"kind": "NetworkPolicy", "metadata": {"name": "deny"}, "spec": deny}
    pods = PodPolicies([*objects, denied])
    assert pods.reaches("test", 9443)
    assert not pods.reaches("test", 5432)
    assert not pods.admits("test", "auth-service", 9000)
    for name in pods.labels.keys() - {"controller", "stranger", "postgresql-database"}:
        assert pods.reaches_dns(name), name
    load = PodPolicies([*render(helm, "load", "--set", "url=http://x.example:8081"), denied])
    for name in ("load-master", "load-worker"):
        assert load.reaches(name, 8081)
        assert load.reaches_dns(name)
        assert not load.reaches(name, 5432)
    assert load.admits("load-worker", "load-master", 5557)
    assert not load.admits("stranger", "load-master", 5557)


@pytest.mark.parametrize(
    "setting",
    [
        "synthetic.target.url=https://x.example:9443/base",
        "synthetic.monitors.auth-login.target.url=http://[2001:db8::1]:9443",
        "synthetic.networkPolicy.targetPorts[0]=9443",
        (
            "synthetic.monitors.auth-login.target.service.name=x,"
            "synthetic.monitors.auth-login.target.service.port=9443"
        ),
        "synthetic.monitors.auth-login.servers.stock=https://x.example:9443/v1",
        "synthetic.monitors.auth-login.proxy=http://x.example:9443",
        (
            "global.gateway.enabled=true,global.gateway.parentRefs[0].name=g,"
            "global.gateway.parentRefs[0].port=9443"
        ),
    ],
    ids=("default", "monitor", "value", "service", "server", "proxy", "gateway"),
)
def test_probes_reach_the_ports_of_configured_targets(helm: str, setting: str) -> None:
    assert PodPolicies(render(helm, "cadastro", "--set", setting)).reaches("probe", 9443)
    assert not PodPolicies(render(helm, "cadastro")).reaches("probe", 9443)


def test_the_database_port_is_open_only_towards_the_database(helm: str, pods: PodPolicies) -> None:
    for service in SERVICES:
        assert not pods.reaches(f"{service}-service", 5432)
    narrow = '[{"podSelector": {"matchLabels": {"app": "db"}}}]'
    options = ("--set", "clients.database.existingSecret=x")
    external = PodPolicies(
        render(
            helm,
            "cadastro",
            *options,
            *("--set-json", f"clients.networkPolicy.databaseTo={narrow}"),
        )
    )
    assert not external.reaches("clients-service", 5432)
    assert not external.admits("clients-service", "postgresql-database", 5432)
    external.labels["database"] = {"app": "db"}
    assert external.admits("clients-service", "database", 5432)
    assert PodPolicies(render(helm, "cadastro", *options)).reaches("clients-service", 5432)


def test_a_release_without_new_values_still_reaches_its_database(helm: str) -> None:
    # `helm upgrade --reuse-values` from an older chart leaves out the values that it lacked
    lacking = "clients.networkPolicy.databaseTo=null"
    options = ("--set", "clients.database.existingSecret=x", "--set-json", lacking)
    assert PodPolicies(render(helm, "cadastro", *options)).reaches("clients-service", 5432)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_render_valid_objects(helm: str, example: Any) -> None:
    production = example.parent / "production.yaml"
    base = ["-f", str(production)] if example.stem == "scale" else []
    check_manifests(render(helm, "cadastro", *base, "-f", str(example)))


def test_monitors_of_every_example_have_a_target(helm: str) -> None:
    for example in EXAMPLES:
        objects = render(helm, "cadastro", "-f", str(example))
        ingresses, routes = of_kind(objects, "Ingress"), of_kind(objects, "HTTPRoute")
        for text in of_kind(objects, "ConfigMap")["try-synthetic-monitors"]["data"].values():
            ((kind, target),) = yaml.safe_load(text)["target"].items()
            assert target["name"] in (routes if kind == "httpRoute" else ingresses)


@pytest.mark.parametrize(
    "options",
    [
        "ingress.enabled=false",
        "ingress.enabled=false,ingress.host=x.example",
    ],
)
def test_monitors_without_an_ingress_need_a_target(helm: str, options: str) -> None:
    with pytest.raises(HelmError, match=r"synthetic\.target\.url"):
        render(helm, "cadastro", "--set", options)
    for remedy in ("synthetic.target.url=http://x.example", "synthetic.target.ingress=front"):
        assert render(helm, "cadastro", "--set", f"{options},{remedy}")
    assert render(helm, "cadastro", "--set", f"{options},synthetic.enabled=false")


def test_an_operator_without_monitors_needs_no_values(helm: str) -> None:
    objects = render(helm, "synthetic")
    check_manifests(objects)
    assert [name for name, _ in pod_specs(objects)] == ["Deployment/try-synthetic"]


@pytest.mark.parametrize(
    "monitor",
    [
        '{"journey": "auth-health"}',
        '{"journey": "own", "journeyFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}',
        '{"journey": "login"}',
        '{"journey": "login", "credentials": true, "credentialsSecretRef": {"name": "x"}}',
        '{"journey": "login", "enabled": false}',
    ],
)
def test_a_monitor_that_needs_no_credentials_installs_without(helm: str, monitor: str) -> None:
    options = ("--set-json", f"monitors.own={monitor}", "--set", "monitors.own.interval=1m")
    assert render(helm, "synthetic", *options)


def test_a_monitor_that_lacks_credentials_is_named(helm: str) -> None:
    monitor = 'monitors.own={"journey": "auth-health", "credentials": true}'
    message = r"monitors\.own\.credentials .*credentials\.existingSecret"
    with pytest.raises(HelmError, match=message):
        render(helm, "synthetic", "--set-json", monitor)
