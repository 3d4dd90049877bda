"""Releases in one cluster: their Ingresses must not match each other's hosts."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import CHARTS, KUBERNETES_VERSION, of_kind, render

LABELS = {"app.kubernetes.io/part-of": "cadastro", "app.kubernetes.io/instance": "first"}
DISCOVERY = {
    "v1": ("Secret", "secrets"),
    "apps/v1": ("Deployment", "deployments"),
    "networking.k8s.io/v1": ("Ingress", "ingresses"),
    "apiextensions.k8s.io/v1": ("CustomResourceDefinition", "customresourcedefinitions"),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "clusterroles"),
}

UNKNOWN_KIND = "resource mapping not found"


def ingress(*, host: str = "", labels: dict[str, str] = LABELS, **spec: str) -> dict[str, Any]:
    """Return the Ingress of a release in the namespace `shop`."""
    metadata = {"name": "first", "namespace": "shop", "labels": labels}
    rule = {"host": host, "http": {}} if host else {"http": {}}
    return {"kind": "Ingress", "metadata": metadata, "spec": {"rules": [rule], **spec}}


@contextmanager
def cluster(ingresses: list[dict[str, Any]], folder: Path) -> Iterator[str]:
    """Serve an API with Ingresses, and nothing else; yield the path of its kubeconfig."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            status, body = response(path, ingresses)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        file = folder / "kubeconfig"
        url = f"http://127.0.0.1:{server.server_port}"
        file.write_text(yaml.safe_dump(kubeconfig(url)))
        yield str(file)
        server.shutdown()


def kubeconfig(url: str) -> dict[str, Any]:
    """Return a kubeconfig for an API server without authentication."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": ""}}],
    }


def response(path: str, ingresses: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of a response of the API server."""
    if path == "/version":
        return 200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
    if path == "/api":
        return 200, {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [version.split("/") for version in DISCOVERY if "/" in version]
        return 200, {"kind": "APIGroupList", "groups": [api_group(*names) for names in groups]}
    for version, (kind, plural) in DISCOVERY.items():
        if path == f"/{'apis' if '/' in version else 'api'}/{version}":
            resource = {"name": plural, "kind": kind, "namespaced": kind[0] != "C", "verbs": []}
            return 200, {"groupVersion": version, "resources": [resource]}
        if path.endswith(f"/{plural}"):
            items = ingresses if kind == "Ingress" else []
            return 200, {"apiVersion": version, "kind": f"{kind}List", "items": items}
    return 404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}


def api_group(group: str, version: str) -> dict[str, Any]:
    """Return the discovery document of an API group."""
    versions = [{"groupVersion": f"{group}/{version}", "version": version}]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def install(helm: str, config: str, *settings: str) -> str:
    """Render a release with lookups, as an install does; return the error of the templates."""
    options = [part for setting in settings for part in ("--set", setting)]
    command = [helm, "template", "second", str(CHARTS / "cadastro"), "-n", "other", *options]
    command += ["--kube-version", KUBERNETES_VERSION]
    done = subprocess.run(
        [*command, "--dry-run=server", "--disable-openapi-validation", "--kubeconfig", config],
        capture_output=True,
        text=True,
        check=False,
    )
    is_rendered = not done.returncode or UNKNOWN_KIND in done.stderr  # Helm 4 then looks up kinds
    return "" if is_rendered else done.stderr


@pytest.mark.parametrize(
    ("other", "own"),
    [
        pytest.param("", "", id="both match all hosts"),
        pytest.param("", "b.example", id="the other matches all hosts"),
        pytest.param("a.example", "", id="this one matches all hosts"),
        pytest.param("a.example", "a.example", id="equal hosts"),
        pytest.param("*.a.example", "b.a.example", id="the other has a wildcard"),
        pytest.param("b.a.example", "*.a.example", id="this one has a wildcard"),
    ],
)
def test_a_release_that_matches_the_hosts_of_another_is_rejected(
    helm: str, tmp_path: Path, other: str, own: str
) -> None:
    settings = ("synthetic.target.url=http://x.example", f"ingress.host={own}")
    with cluster([ingress(host=other)], tmp_path) as config:
        error = install(helm, config, *settings)
        assert "the Ingress first of the namespace shop" in error
        assert "set ingress.host" in error


@pytest.mark.parametrize("switch", ["ingress.checkHosts=false", "ingress.enabled=false"])
def test_the_check_of_hosts_can_be_switched_off(
    all_helms: list[str], tmp_path: Path, switch: str
) -> None:
    settings = ("synthetic.target.url=http://x.example", switch)
    with cluster([ingress()], tmp_path) as config:
        assert [install(helm, config, *settings) for helm in all_helms] == [""] * len(all_helms)


def test_a_release_with_a_host_of_its_own_is_accepted(helm: str, tmp_path: Path) -> None:
    others = [
        ingress(host="a.example"),
        ingress(host="xb.example"),  # with the same end
        ingress(host="*.b.example"),  # a wildcard of a subdomain
        ingress(labels={}),  # another application
        ingress(ingressClassName="inner"),  # another class
    ]
    settings = ("ingress.host=b.example", "ingress.className=outer")
    for found in ([], others):
        with cluster(found, tmp_path) as config:
            assert not install(helm, config, *settings)


def test_an_upgrade_accepts_the_ingress_of_its_own_release(helm: str, tmp_path: Path) -> None:
    own = ingress()
    own["metadata"] |= {"name": "second", "namespace": "other"}
    with cluster([own], tmp_path) as config:
        assert not install(helm, config)


def test_health_responses_and_their_monitors_name_the_same_instance(helm: str) -> None:
    objects = render(helm, "cadastro", "-n", "shop", release="shop.prod")
    monitors = of_kind(objects, "ConfigMap")
    (data,) = [item["data"] for name, item in monitors.items() if name.endswith("-monitors")]
    deployments = of_kind(objects, "Deployment").values()
    for service in SERVICES:
        (pod,) = [
            item["spec"]["template"]["spec"]
            for item in deployments
            if item["metadata"]["name"].endswith(f"-{service}")
        ]
        env = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
        expected = f"shop/shop.prod/{service}"
        assert env["INSTANCE"] == expected
        spec = yaml.safe_load(data[f"{service}-health"])
        assert spec["inputs"] == {"instance": expected}
    assert "inputs" not in yaml.safe_load(data["auth-login"])


@pytest.mark.parametrize(
    "monitor",
    [
        pytest.param({"target": {"url": "http://x.example"}}, id="a target of its own"),
        pytest.param(
            {"journeyFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}, id="a custom journey"
        ),
    ],
)
def test_a_monitor_of_another_system_expects_no_instance(
    helm: str, monitor: dict[str, Any]
) -> None:
    given = json.dumps({"journey": "clients-health", **monitor})
    objects = render(helm, "cadastro", "--set-json", f"synthetic.monitors.clients-health={given}")
    data = of_kind(objects, "ConfigMap")["try-synthetic-monitors"]["data"]
    assert "inputs" not in yaml.safe_load(data["clients-health"])


def test_inputs_of_a_monitor_become_texts_and_take_precedence(helm: str) -> None:
    given = json.dumps({"journey": "clients-health", "inputs": {"instance": "a/b/c", "count": 3}})
    objects = render(helm, "cadastro", "--set-json", f"synthetic.monitors.clients-health={given}")
    data = of_kind(objects, "ConfigMap")["try-synthetic-monitors"]["data"]
    assert yaml.safe_load(data["clients-health"])["inputs"] == {"instance": "a/b/c", "count": "3"}
