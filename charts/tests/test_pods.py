"""Scheduling, metadata and environment of every pod."""

import json
from typing import Any

import pytest

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import (
    HelmError,
    containers,
    pod_specs,
    render,
    standalone_options,
)
from tests.support.chart_manifests import check_manifests

VALUES = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
                ]
            }
        }
    },
    "priorityClassName": "high",
    "podAnnotations": {"sidecar.istio.io/inject": "false"},
    "podLabels": {"team": "shop", "app.kubernetes.io/instance": "other"},
    "extraEnv": [
        {"name": "SSL_CERT_FILE", "value": "/etc/ca.pem"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ],
}
PARTS = {
    "cadastro": [f"{part}." for part in (*SERVICES, "postgresql", "test", "synthetic")],
    "load": [""],
}
REQUIRED_OPTIONS = {
    "cadastro": [
        "--set",
        "test.url=http://x.example,inventory.relay=true,auth.metrics.annotations=true",
    ],
    "load": ["--set", "url=http://x.example"],
}


def pod_metadata(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the metadata of each pod and pod template by the name of its object."""
    found = {}
    for item in objects:
        spec = item.get("spec", {}).get("jobTemplate", item).get("spec", {})
        if item["kind"] == "Pod":
            found[f"Pod/{item['metadata']['name']}"] = item["metadata"]
        elif "spec" in spec.get("template", {}):
            found[f"{item['kind']}/{item['metadata']['name']}"] = spec["template"]["metadata"]
    return found


@pytest.fixture(params=sorted(PARTS))
def objects(helm: str, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """The rendered objects of a chart with all values for pods."""
    options = [
        part
        for prefix in PARTS[request.param]
        for name, value in VALUES.items()
        for part in ("--set-json", f"{prefix}{name}={json.dumps(value)}")
    ]
    found: list[dict[str, Any]] = render(
        helm, request.param, *REQUIRED_OPTIONS[request.param], *options
    )
    check_manifests(found)
    return found


def test_every_pod_has_the_scheduling_and_the_environment_of_its_values(
    objects: list[dict[str, Any]],
) -> None:
    for name, pod in pod_specs(objects):
        for field in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
            assert pod[field] == VALUES[field], name
        for container in containers(pod):
            assert container["env"][-2:] == VALUES["extraEnv"], name


def test_every_pod_has_the_labels_and_annotations_of_its_values(
    objects: list[dict[str, Any]],
) -> None:
    found = pod_metadata(objects)
    assert found.keys() == {name for name, _ in pod_specs(objects)}
    for name, metadata in found.items():
        assert metadata["labels"]["team"] == "shop", name
        assert metadata["labels"]["app.kubernetes.io/instance"] == "try", name
        assert metadata["annotations"]["sidecar.istio.io/inject"] == "false", name
    if "Deployment/try-auth" in found:
        assert found["Deployment/try-auth"]["annotations"]["prometheus.io/port"] == "9000"
        assert "checksum/monitors" in found["Deployment/try-synthetic"]["annotations"]


def test_selectors_match_the_labels_of_their_pods(objects: list[dict[str, Any]]) -> None:
    for item in objects:
        if item["kind"] in {"Deployment", "StatefulSet"}:
            selector = item["spec"]["selector"]["matchLabels"].items()
            assert selector <= item["spec"]["template"]["metadata"]["labels"].items()


def test_the_pod_of_helm_test_is_kept_for_its_logs(helm: str) -> None:
    options = REQUIRED_OPTIONS["cadastro"]
    (pod,) = [item for item in render(helm, "cadastro", *options) if item["kind"] == "Pod"]
    policy = pod["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
    assert policy == "before-hook-creation"


@pytest.mark.parametrize(
    ("families", "policy", "ipv6"),
    [
        (["IPv6"], "SingleStack", True),
        (["IPv6", "IPv4"], "PreferDualStack", True),
        (["IPv4", "IPv6"], "PreferDualStack", True),
        (["IPv4"], "SingleStack", False),
        ([], None, False),
    ],
)
def test_services_and_listeners_use_the_ip_families(
    helm: str, families: list[str], policy: str | None, ipv6: Any
) -> None:
    objects = render(helm, "cadastro", "--set-json", f"global.ipFamilies={json.dumps(families)}")
    check_manifests(objects)
    services = [item for item in objects if item["kind"] == "Service"]
    assert len(services) == len(SERVICES) + 2
    for service in services:
        assert service["spec"].get("ipFamilyPolicy") == policy
        assert service["spec"].get("ipFamilies", []) == families
    binds = {
        variable["name"]: variable["value"]
        for _, pod in pod_specs(objects)
        for container in containers(pod)
        for variable in container.get("env", [])
        if variable["name"].endswith("BIND")
    }
    assert {name: bind.rpartition(":")[2] for name, bind in binds.items()} == {
        "BIND": "8000",
        "METRICS_BIND": "9000",
    }
    assert all(bind.startswith("[::]:") is ipv6 for bind in binds.values())


def test_one_chart_can_have_other_ip_families_than_the_release(helm: str) -> None:
    given = '["IPv6"]'
    options = ("--set-json", f"global.ipFamilies={given}", "--set-json", 'auth.ipFamilies=["IPv4"]')
    services = {
        item["metadata"]["name"]: item["spec"]["ipFamilies"]
        for item in render(helm, "cadastro", *options)
        if item["kind"] == "Service"
    }
    assert services["try-auth"] == ["IPv4"]
    assert services["try-clients"] == ["IPv6"]


@pytest.mark.parametrize(
    "given",
    ["global.imagePullSecrets={shared}", "global.imagePullSecrets[0].name=shared"],
    ids=["names", "objects"],
)
@pytest.mark.parametrize("chart", sorted(PARTS))
def test_every_pod_has_the_global_pull_secrets(helm: str, chart: str, given: str) -> None:
    objects = render(helm, chart, *REQUIRED_OPTIONS[chart], "--set", given)
    check_manifests(objects)
    for name, pod in pod_specs(objects):
        assert pod.get("imagePullSecrets") == [{"name": "shared"}], name


@pytest.mark.parametrize("chart", ["clients", "synthetic", "load"])
def test_a_charts_own_pull_secrets_precede_the_global_ones(helm: str, chart: str) -> None:
    options = ["--set-json", 'image.pullSecrets=["own", {"name": "shared"}]']
    options += ["--set-json", 'global.imagePullSecrets=["shared", {"name": "1"}]']
    required = {"clients": standalone_options("clients"), **REQUIRED_OPTIONS}.get(chart, [])
    objects = render(helm, chart, *required, *options)
    expected = [{"name": "own"}, {"name": "shared"}, {"name": "1"}]
    assert all(pod["imagePullSecrets"] == expected for _, pod in pod_specs(objects))


@pytest.mark.parametrize(
    "secrets",
    [{"image.pullSecrets": ["own"]}, {"global.imagePullSecrets": ["own"]}],
    ids=["the chart's", "global"],
)
def test_the_operator_gives_its_pull_secrets_to_probes(helm: str, secrets: dict[str, Any]) -> None:
    options = [
        part
        for name, value in secrets.items()
        for part in ("--set-json", f"{name}={json.dumps(value)}")
    ]
    ((_, pod),) = pod_specs(render(helm, "synthetic", *options))
    (container,) = containers(pod)
    assert {"name": "PROBE_IMAGE_PULL_SECRETS", "value": "own"} in container["env"]


@pytest.mark.parametrize("value", ['"shared"', '["a,b"]', '[""]', '[{"nam": "a"}]', "[1]"])
def test_other_global_pull_secrets_are_rejected(helm: str, value: str) -> None:
    with pytest.raises(HelmError, match="imagePullSecrets"):
        render(helm, "cadastro", "--set-json", f"global.imagePullSecrets={value}")


def test_global_pull_secrets_may_be_null(helm: str) -> None:
    objects = render(helm, "cadastro", "--set-json", "global.imagePullSecrets=null")
    assert not any("imagePullSecrets" in pod for _, pod in pod_specs(objects))


def test_a_new_database_orders_texts_by_code_points_whatever_its_image(helm: str) -> None:
    (spec,) = [each for name, each in pod_specs(render(helm, "cadastro")) if "postgresql" in name]
    (container,) = spec["containers"]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    # initdb takes the locale from LANG; PostgreSQL gives C.UTF-8 no version, for it never changes
    assert variables["LANG"] == "C.UTF-8"
