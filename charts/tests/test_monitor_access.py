"""Rights on monitors: aggregated ClusterRoles, and what the operator may do."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from scripts.charts.rendering import of_kind, render
from synthetic.operator.resources import JOBS, MONITORS, PODS
from tests.support.synthetic.fake_api_server import serve
from tests.support.synthetic.fake_cluster import FakeCluster, ObjectPath
from tests.support.synthetic.kubernetes_objects import monitor
from tests.support.synthetic.object_api import synthetic

GATEWAY = "global.gateway.enabled=true,global.gateway.parentRefs[0].name=g"
OPTIONS = ("--set", "credentials.existingSecret=x")


def cluster_roles(helm: str, *options: str) -> dict[str, Any]:
    """Return the ClusterRoles of the chart by name."""
    found: dict[str, Any] = of_kind(render(helm, "synthetic", *OPTIONS, *options), "ClusterRole")
    return found


@pytest.mark.parametrize(
    ("role", "targets", "verbs"),
    [
        ("view", {"view", "edit", "admin"}, {"get", "list", "watch"}),
        ("edit", {"edit", "admin"}, {"create", "update", "patch", "delete", "deletecollection"}),
    ],
)
def test_rights_on_monitors_aggregate_to_the_roles_of_users(
    helm: str, role: str, targets: set[str], verbs: set[str]
) -> None:
    found = cluster_roles(helm)[f"syntheticmonitors-{role}"]
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    labels = found["metadata"]["labels"]
    assert {key.removeprefix(prefix) for key in labels if key.startswith(prefix)} == targets
    (rule,) = found["rules"]
    assert set(rule["verbs"]) == verbs
    assert rule["resources"] == ["syntheticmonitors"]  # the status is the operator's


# what the cluster's own ClusterRole view allows, of what the commands need
VIEW = {("list", "pods"), ("get", "pods/log"), ("list", "jobs"), ("list", "events")}
FAILURE = {"finishedAt": "2026-01-31T09:00:05Z", "result": "failed", "job": "job-1"}
READING = (("monitors", "-A"), ("explain", "shop"))
CHANGING = (("run", "shop", "--wait", "--timeout", "0.1"), ("suspend", "shop"), ("resume", "shop"))


def rights_used(folder: Path, commands: tuple[tuple[str, ...], ...]) -> set[tuple[str, str]]:
    """Return the verbs and resources that commands need."""
    cluster = FakeCluster()
    cluster.create(ObjectPath.of(MONITORS.path("here")), monitor("shop", {"failures": [FAILURE]}))
    probe = {
        "name": "p",
        "namespace": "here",
        "labels": {"batch.kubernetes.io/job-name": FAILURE["job"]},
    }
    cluster.create(ObjectPath.of(PODS.path("here")), {"metadata": probe})

    async def run() -> None:
        async with serve(cluster, folder / "kubeconfig") as _:
            for words in commands:
                await asyncio.to_thread(
                    synthetic, *words, "--kubeconfig", str(folder / "kubeconfig")
                )

    asyncio.run(run())
    return {_right(method, path) for method, path in cluster.requests}


def _right(method: str, path: str) -> tuple[str, str]:
    target = ObjectPath.of(path)
    verb = "list" if method == "GET" and not target.name else method.lower()
    return verb, f"{target.plural}/{target.part}".removesuffix("/")


@pytest.mark.parametrize(
    ("commands", "roles"),
    [(READING, ("view",)), (CHANGING, ("view", "edit"))],
    ids=["reading", "changing"],
)
def test_the_commands_need_no_rights_beyond_those_of_view_and_of_edit(
    helm: str, tmp_path: Path, commands: tuple[tuple[str, ...], ...], roles: tuple[str, ...]
) -> None:
    rendered = cluster_roles(helm)
    allowed = {
        (verb, resource)
        for role in roles
        for rule in rendered[f"syntheticmonitors-{role}"]["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
    }
    used = rights_used(tmp_path, commands)
    assert used - VIEW <= allowed
    if roles == ("view",):
        assert used == {
            *(("list", MONITORS.plural), ("get", MONITORS.plural)),
            *(("list", "pods"), ("get", "pods/log")),
        }
    else:
        assert ("patch", MONITORS.plural) in used
        assert ("list", JOBS.plural) in used


def test_the_roles_come_with_the_definition(helm: str) -> None:
    options = ("--set", "crds.enabled=false", "--set", "watch.maintenances=false")
    assert cluster_roles(helm, *options) == {}


@pytest.mark.parametrize("everywhere", ["true", "false"])
def test_the_operator_reads_cluster_wide_maintenance_and_writes_its_status_alone(
    helm: str, everywhere: str
) -> None:
    options = ("--set", f"watch.allNamespaces={everywhere}")
    objects = render(helm, "synthetic", *OPTIONS, *options)
    name = "default-try-synthetic-maintenance"
    read, write = of_kind(objects, "ClusterRole")[name]["rules"]
    assert (read["resources"], read["verbs"]) == (
        ["syntheticmaintenances"],
        ["get", "list", "watch"],
    )
    assert (write["resources"], write["verbs"]) == (["syntheticmaintenances/status"], ["update"])
    binding = of_kind(objects, "ClusterRoleBinding")[name]
    assert binding["roleRef"]["name"] == name
    (subject,) = binding["subjects"]
    assert (subject["name"], subject["namespace"]) == ("try-synthetic", "default")


def test_both_definitions_are_kept_and_come_together(helm: str) -> None:
    found = of_kind(render(helm, "synthetic", *OPTIONS), "CustomResourceDefinition")
    plurals = {each["spec"]["names"]["plural"] for each in found.values()}
    assert plurals == {"syntheticmonitors", "syntheticmaintenances"}
    for each in found.values():
        assert each["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert (
        of_kind(
            render(helm, "synthetic", "--set", "crds.enabled=false"), "CustomResourceDefinition"
        )
        == {}
    )


def test_windows_have_one_schema_in_both_definitions(helm: str) -> None:
    found = of_kind(render(helm, "synthetic", *OPTIONS), "CustomResourceDefinition")
    specs = {
        name.partition(".")[0]: each["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for name, each in found.items()
    }
    own = specs["syntheticmonitors"]["properties"]["spec"]["properties"]["maintenance"]["items"]
    shared = specs["syntheticmaintenances"]["properties"]["spec"]
    assert own["x-kubernetes-validations"] == shared["x-kubernetes-validations"]
    selectors = {"selector", "namespaceSelector"}
    assert own["properties"] == {
        name: part for name, part in shared["properties"].items() if name not in selectors
    }


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        ((), "ingress/try"),
        (("--set", "synthetic.target.ingress=front"), "ingress/front"),
        (("--set", "synthetic.target.url=https://shop.example:8443/base"), "shop.example"),
        (("--set", GATEWAY), "httproute/try"),
        (("--set", f"{GATEWAY},synthetic.target.httpRoute=front"), "httproute/front"),
        (("--set", f"{GATEWAY},synthetic.target.ingress=front"), "ingress/front"),
        (
            (
                "--set-json",
                'synthetic.monitors.auth-login.target={"service":{"name":"auth","port":8080}}',
            ),
            "ingress/try,service/auth",
        ),
        (("--set", "synthetic.target.url=http://[2001:db8::1]:80"), "2001:db8::1"),
        (
            ("--set", "synthetic.monitors.auth-login.target.url=http://a.example"),
            "a.example,ingress/try",
        ),
        (("--set", "synthetic.monitors.auth-login=null"), "ingress/try"),
        (
            ("--set", "synthetic.monitors.auth-login.proxy=http://p.example:3128"),
            "ingress/try,p.example",
        ),
        (
            ("--set", "synthetic.monitors.auth-login.servers.stock=http://s.example:8080/v1"),
            "ingress/try,s.example",
        ),
    ],
)
def test_the_generated_credentials_are_bound_to_the_targets_of_the_release(
    helm: str, options: tuple[str, ...], hosts: str
) -> None:
    secrets = of_kind(render(helm, "cadastro", *options), "Secret")
    annotations = secrets["try-synthetic-credentials"]["metadata"]["annotations"]
    assert annotations["monitoring.cadastro.dev/hosts"] == hosts


def test_the_operator_reads_secrets_by_name_alone(helm: str) -> None:
    rules = [
        rule
        for kind in ("Role", "ClusterRole")
        for role in of_kind(render(helm, "synthetic", *OPTIONS), kind).values()
        for rule in role["rules"]
        if "secrets" in rule["resources"]
    ]
    assert [rule["verbs"] for rule in rules] == [["get"]]


def gateway_rules(objects: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the rules about the Gateway API by the namespace of their Role; none for a cluster."""
    found: dict[str, list[Any]] = {}
    for role in objects:
        if role["kind"] in {"Role", "ClusterRole"}:
            for rule in role["rules"]:
                if rule["apiGroups"] == ["gateway.networking.k8s.io"]:
                    found.setdefault(role["metadata"].get("namespace", ""), []).append(rule)
    return found


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("watch.gatewayApi=true", id="value"),
        pytest.param(
            "monitors.a.journey=auth-health,monitors.a.interval=1m,target.httpRoute=front",
            id="default target",
        ),
        pytest.param(
            "monitors.a.journey=auth-health,monitors.a.interval=1m,monitors.a.target.gateway.name=g",
            id="own target",
        ),
    ],
)
def test_the_operator_reads_the_gateway_api_where_it_is_used(helm: str, options: str) -> None:
    (rules,) = gateway_rules(render(helm, "synthetic", "--set", options)).values()
    assert [(rule["resources"], rule["verbs"]) for rule in rules] == [
        (["httproutes", "gateways"], ["get"])
    ]
    assert gateway_rules(render(helm, "synthetic")) == {}
    assert gateway_rules(render(helm, "cadastro")) == {}


def test_the_operator_reads_the_gateways_of_the_http_route_in_their_namespaces(helm: str) -> None:
    options = f"{GATEWAY},global.gateway.parentRefs[1].name=public,"
    options += "global.gateway.parentRefs[1].namespace=gateways"
    objects = render(helm, "cadastro", "--set", options)
    rules = gateway_rules(objects)
    assert set(rules) == {"default", "gateways"}
    (foreign,) = rules["gateways"]
    assert (foreign["resources"], foreign["resourceNames"]) == (["gateways"], ["public"])
    assert foreign["verbs"] == ["get"]
    bound = [each for each in objects if each["kind"] == "RoleBinding"]
    (binding,) = [each for each in bound if each["metadata"]["namespace"] == "gateways"]
    (subject,) = binding["subjects"]
    assert (subject["namespace"], subject["name"]) == ("default", "try-synthetic")
    everywhere = render(helm, "cadastro", "--set", f"{options},synthetic.watch.allNamespaces=true")
    assert set(gateway_rules(everywhere)) == {""}
    public = f"{options},synthetic.target.url=http://x.example"
    assert gateway_rules(render(helm, "cadastro", "--set", public)) == {}
