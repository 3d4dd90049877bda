"""Names, namespaces and labels for any release name, namespace and version."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

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
from tests.support.chart_manifests import CLUSTER_SCOPED, check_manifests

RELEASES = [
    "a",
    "1",
    "r" * 32,
    "r" * 33,
    "r" * 53,
    "2fa",
    "shop.prod",
    "true",
    "on",
    "null",
    "1e3",
    "0x1f",
    "a.b.c-1.2",
    f"{'a' * 22}-{'b' * 20}",
    f"9.{'x' * 51}",
]
OPTIONS = {
    "cadastro": [
        "--set",
        "test.url=http://x.example,global.gateway.enabled=true,global.gateway.parentRefs[0].name=g",
    ],
    "load": ["--set", "url=http://x.example"],
    "synthetic": ["--set", "metrics.prometheusOperator=true,watch.allNamespaces=true"],
    **{service: standalone_options(service) for service in SERVICES},
}
METRICS = ",".join(
    f"{service}.metrics.{name}=true"
    for service in SERVICES
    for name in ("prometheusOperator", "dashboard")
)


def peer_urls(objects: list[dict[str, Any]]) -> set[str]:
    """Return the hosts of the URLs in the environment of all pods."""
    return {
        re.split("[:/]+", variable["value"])[1]
        for _, pod in pod_specs(objects)
        for container in containers(pod)
        for variable in container.get("env", [])
        if variable["name"].endswith("_URL") and "value" in variable
    }


@pytest.mark.parametrize("release", RELEASES)
def test_any_release_name_gives_valid_and_consistent_names(helm: str, release: str) -> None:
    objects = render(helm, "cadastro", *OPTIONS["cadastro"], "--set", METRICS, release=release)
    check_manifests(objects)
    assert peer_urls(objects) <= set(of_kind(objects, "Service"))
    secrets = set(of_kind(objects, "Secret"))
    for name, pod in pod_specs(objects):
        for volume in pod.get("volumes", []):
            assert volume.get("secret", {}).get("secretName") in {None, *secrets}, name
        for container in containers(pod):
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
                assert reference.get("name") in {None, *secrets}, name


@pytest.mark.parametrize("chart", ["load", "synthetic", *SERVICES])
@pytest.mark.parametrize("release", ["1", "shop.prod", "r" * 53])
def test_any_release_name_is_valid_for_each_chart(helm: str, chart: str, release: str) -> None:
    check_manifests(render(helm, chart, *OPTIONS[chart], release=release))


def test_a_short_release_name_is_unchanged(helm: str) -> None:
    deployments = of_kind(render(helm, "cadastro", release="r" * 32), "Deployment")
    assert f"{'r' * 32}-inventory" in deployments


def test_different_release_names_give_different_names(helm: str) -> None:
    names = ["shop.prod", "shop-prod", "2fa", "r-2fa", "r" * 52, "r" * 53]
    services = [frozenset(of_kind(render(helm, "cadastro", release=n), "Service")) for n in names]
    assert len(frozenset.union(*services)) == sum(map(len, services))


def test_the_monitors_target_the_ingress_of_the_release(helm: str) -> None:
    objects = render(helm, "cadastro", release="shop.prod")
    (ingress,) = of_kind(objects, "Ingress")
    monitors = next(m for name, m in of_kind(objects, "ConfigMap").items() if "monitors" in name)
    for spec in map(yaml.safe_load, monitors["data"].values()):
        assert spec["target"] == {"ingress": {"name": ingress}}


def test_the_monitors_target_the_http_route_of_the_release(helm: str) -> None:
    example = ("-f", str(CHARTS / "examples" / "gateway.yaml"))
    objects = render(helm, "cadastro", *example, release="shop.prod")
    assert of_kind(objects, "Ingress") == {}
    (route,) = of_kind(objects, "HTTPRoute")
    monitors = next(m for name, m in of_kind(objects, "ConfigMap").items() if "monitors" in name)
    for spec in map(yaml.safe_load, monitors["data"].values()):
        assert spec["target"] == {"httpRoute": {"name": route}}


@pytest.mark.parametrize("namespace", ["x", "team-a", "123", "true", "1e3"])
@pytest.mark.parametrize("chart", ["cadastro", "load", "synthetic"])
def test_every_namespaced_object_names_its_namespace(helm: str, chart: str, namespace: str) -> None:
    objects = render(helm, chart, *OPTIONS[chart], "--namespace", namespace)
    for item in objects:
        if item["kind"] in CLUSTER_SCOPED:
            assert "namespace" not in item["metadata"]
        else:
            assert item["metadata"]["namespace"] == namespace, item["metadata"]["name"]
        for subject in item.get("subjects", []):
            assert subject["namespace"] == namespace


@pytest.fixture
def versioned(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the charts with another version and appVersion."""
    shutil.copytree(CHARTS, tmp_path / "charts", symlinks=True)
    for file in (tmp_path / "charts").glob("*/Chart.yaml"):
        text = re.sub(r"(?m)^version: .*", f"version: {request.param}", file.read_text())
        text = re.sub(r"(?m)^    version: .*", f'    version: "{request.param}"', text)
        file.write_text(re.sub(r"(?m)^appVersion: .*", f'appVersion: "{request.param}"', text))
    return tmp_path / "charts"


@pytest.mark.parametrize(
    "versioned",
    [
        "1.0.0+d224fc6a",
        "1.1.0-rc.1+build.7",
        f"1.0.0-{'long' * 20}",
        f"1.0.0+{'a' * 40}.{'b' * 40}",
    ],
    indirect=True,
)
def test_any_version_gives_valid_labels_and_image_tags(helm: str, versioned: Path) -> None:
    objects = render(helm, str(versioned / "cadastro"), *OPTIONS["cadastro"])
    check_manifests(objects)
    for name, pod in pod_specs(objects):
        for container in containers(pod):
            tag = container["image"].rpartition(":")[2]
            assert re.fullmatch("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", tag), name


@pytest.mark.parametrize("versioned", ["1.0.0+d224fc6a"], indirect=True)
def test_a_new_chart_version_alone_restarts_no_pod(helm: str, versioned: Path) -> None:
    for file in versioned.glob("*/Chart.yaml"):
        file.write_text(re.sub(r"(?m)^appVersion: .*", 'appVersion: "1.0.0"', file.read_text()))
    kinds = ("Deployment", "StatefulSet", "Job", "CronJob")
    new, old = (render(helm, str(chart)) for chart in (versioned / "cadastro", CHARTS / "cadastro"))
    for kind in kinds:
        specs = [
            {name: o["spec"] for name, o in of_kind(each, kind).items()} for each in (new, old)
        ]
        assert specs[0] == specs[1]


def test_a_chart_name_that_is_too_long_is_rejected(helm: str, tmp_path: Path) -> None:
    shutil.copytree(CHARTS, tmp_path / "charts", symlinks=True)
    chart = tmp_path / "charts" / "clients"
    file = chart / "Chart.yaml"
    file.write_text(file.read_text().replace("name: clients", f"name: {'c' * 40}"))
    with pytest.raises(HelmError, match="shorter chart name"):
        render(helm, str(chart), *standalone_options("clients"), release="r" * 53)
