"""Definitions and their roles that another release has installed: each stays with its owner."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from scripts.charts.rendering import of_kind, render

GROUP = "monitoring.cadastro.dev"
MONITORS, MAINTENANCES = f"syntheticmonitors.{GROUP}", f"syntheticmaintenances.{GROUP}"
VIEW, EDIT = "syntheticmonitors-view", "syntheticmonitors-edit"
KINDS = {  # shared by the releases of a cluster, by the paths of their objects
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/": "CustomResourceDefinition",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/": "ClusterRole",
}


def discovery(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the discovery documents of the kinds of objects by path."""
    kinds: dict[str, set[str]] = {}
    for each in objects:
        kinds.setdefault(each["apiVersion"], set()).add(each["kind"])
    groups = [version.split("/") for version in kinds if "/" in version]
    documents: dict[str, Any] = {
        "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [
                {"name": name, "versions": [{"groupVersion": f"{name}/{v}", "version": v}]}
                for name, v in groups
            ],
        },
    }
    for version, names in kinds.items():
        resources = [
            {
                "name": f"{kind.lower()}s".replace("policys", "policies"),
                "singularName": kind.lower(),
                "kind": kind,
                "namespaced": not kind.startswith(("Cluster", "CustomResource")),
                "verbs": ["get", "list"],
            }
            for kind in sorted(names)
        ]
        prefix = "/apis/" if "/" in version else "/api/"
        documents[f"{prefix}{version}"] = {
            "kind": "APIResourceList",
            "groupVersion": version,
            "resources": resources,
        }
    return documents


class ApiServer(BaseHTTPRequestHandler):
    """API server whose only objects are shared ones with the names of their releases."""

    owners: ClassVar[dict[str, str]] = {}
    documents: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        """Return a discovery document, a shared object, or an empty list."""
        path = self.path.partition("?")[0]
        folder, _, name = path.rpartition("/")
        kind = KINDS.get(f"{folder}/")
        status, found = 200, self.documents.get(path)
        if found is None and kind and name in self.owners:
            release = {"name": self.owners[name], "namespace": "default"}
            annotations = {f"meta.helm.sh/release-{key}": text for key, text in release.items()}
            found = {
                "apiVersion": folder.removeprefix("/apis/").rpartition("/")[0],
                "kind": kind,
                "metadata": {
                    "name": name,
                    "annotations": annotations,
                    "labels": {"app.kubernetes.io/managed-by": "Helm"},
                },
            }
        elif found is None and path.endswith("/deployments"):
            found = {"apiVersion": "apps/v1", "kind": "DeploymentList", "items": []}
        elif found is None:
            status = 404
            found = {
                "apiVersion": "v1",
                "kind": "Status",
                "status": "Failure",
                "reason": "NotFound",
            }
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


Install = Callable[[dict[str, str]], list[dict[str, Any]]]


@pytest.fixture
def install(helm: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Render the release `try` in a cluster with shared objects of others."""
    monkeypatch.setattr(ApiServer, "documents", discovery(render(helm, "synthetic")))
    with ThreadingHTTPServer(("127.0.0.1", 0), ApiServer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        options = ("--dry-run=server", "--kube-apiserver", url, "--disable-openapi-validation")

        def install_beside(owners: dict[str, str]) -> list[dict[str, Any]]:
            monkeypatch.setattr(ApiServer, "owners", owners)
            return render(helm, "synthetic", *options)

        yield install_beside
        server.shutdown()


@pytest.mark.parametrize(
    ("owners", "rendered"),
    [
        ({}, {MONITORS, MAINTENANCES}),
        ({MONITORS: "try", MAINTENANCES: "try"}, {MONITORS, MAINTENANCES}),
        ({MONITORS: "try"}, {MONITORS, MAINTENANCES}),
        ({MONITORS: "other", MAINTENANCES: "other"}, set()),
        ({MONITORS: "other"}, {MAINTENANCES}),
        ({MONITORS: "try", MAINTENANCES: "other"}, {MONITORS}),
    ],
    ids=["none", "own", "upgrade", "of-another", "of-an-earlier-release", "adopted-one"],
)
def test_only_definitions_without_another_owner_are_installed(
    install: Install, owners: dict[str, str], rendered: set[str]
) -> None:
    assert set(of_kind(install(owners), "CustomResourceDefinition")) == rendered


@pytest.mark.parametrize(
    ("owners", "rendered"),
    [
        ({}, {VIEW, EDIT}),
        ({MONITORS: "try", VIEW: "try", EDIT: "try"}, {VIEW, EDIT}),
        ({MONITORS: "other", VIEW: "other", EDIT: "other"}, set()),
        ({MONITORS: "other"}, {VIEW, EDIT}),
        ({MONITORS: "try", VIEW: "other", EDIT: "other"}, set()),
    ],
    ids=["none", "own", "of-another", "missing", "of-another-than-the-definition"],
)
def test_only_roles_without_another_owner_are_installed_and_they_stay(
    install: Install, owners: dict[str, str], rendered: set[str]
) -> None:
    found = of_kind(install(owners), "ClusterRole")
    shared = {name: each for name, each in found.items() if name in {VIEW, EDIT}}
    assert set(shared) == rendered
    for each in shared.values():
        assert each["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
