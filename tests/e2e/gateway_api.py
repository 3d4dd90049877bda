"""A Gateway in place of the Ingress: Traefik as its controller, and the monitors of the release."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from synthetic.operator.cronjob import MONITOR_LABEL
from tests.e2e.connections import start
from tests.e2e.context import Context
from tests.support.cluster import Cluster
from tests.support.commands import run_command
from tests.support.gateway_api import definitions
from tests.support.restricted_pod import restricted_pod
from tests.support.steps import check, wait_until

EXAMPLE = "charts/examples/gateway.yaml"
GROUP = "gateway.networking.k8s.io"
NAME, PORT = "gateway", 8000
NO_CONTROLLER = "skipped: the cluster has no pod of Traefik, whose image would be used"
NO_DEFINITIONS = "skipped: the cluster has no Gateway API, and Go is not on the PATH to fetch it"
ROUTE_TIMEOUT_SECONDS = 60.0  # until the operator knows the route's address
PROGRAM = (sys.executable, "-m", "synthetic.cli")
AT_ONCE = 4


def check_gateway(context: Context) -> str:
    """Route the release through a Gateway, and run its test and all its monitors through it."""
    cluster = context.cluster
    image = _controller_image(cluster)
    if image is None:
        return NO_CONTROLLER
    if not (_has_definitions(cluster) or definitions()):
        return NO_DEFINITIONS
    with _definitions(cluster), cluster.scratch_namespace(NAME) as place, _access(place):
        host = f"{NAME}.{place.namespace}.svc.cluster.local"
        start(place, *_controller(place, image, host), _gateway_class(place), _gateway(place))
        url = f"http://{host}:{PORT}"
        _install(cluster, place, host, url)
        try:
            cluster.helm("test")
            monitors = _targets(cluster, url)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda name: _run(cluster, name), monitors))
        finally:
            cluster.install("upgrade")  # the Ingress again
    return f"helm test buys through the Gateway, and {len(monitors)} monitors pass"


def _install(cluster: Cluster, place: Cluster, host: str, url: str) -> None:
    """Upgrade the release with the values of the example, for this Gateway."""
    values = {
        "ingress.host": host,
        "global.gateway.parentRefs[0].name": NAME,
        "global.gateway.parentRefs[0].namespace": place.namespace,
        "synthetic.target.url": "",
        "test.url": url,
    }
    cluster.install("upgrade", options=("-f", EXAMPLE), **values)


def _targets(cluster: Cluster, url: str) -> list[str]:
    """Return the names of the monitors, once all are scheduled with the URL of the Gateway."""

    def others() -> list[str]:
        return [
            each["metadata"]["name"]
            for each in cluster.objects("cronjobs")
            if MONITOR_LABEL in each["metadata"]["labels"] and url not in json.dumps(each["spec"])
        ]

    message = "other URLs: {}".format
    wait_until(lambda: not others(), ROUTE_TIMEOUT_SECONDS, lambda: message(others()))
    cluster.kubectl("wait", "--for=condition=Ready", "synmon", "--all", "--timeout=60s")
    names = [each["metadata"]["name"] for each in cluster.objects("synmon")]
    check(names, "there is no monitor")
    return names


def _run(cluster: Cluster, monitor: str) -> None:
    """Run a monitor now; raises ``CommandError`` unless the run passes."""
    run_command(*PROGRAM, "run", monitor, "--namespace", cluster.namespace, "--wait")


def _controller_image(cluster: Cluster) -> str | None:
    """Return the image of a running Traefik, or nothing if there is none."""
    found = cluster.kubectl("get", "pods", "--all-namespaces", "-o", "json", namespaced=False)
    images = (
        container["image"]
        for pod in json.loads(found)["items"]
        for container in pod["spec"]["containers"]
    )
    return next((image for image in images if "traefik" in image), None)


@contextmanager
def _definitions(cluster: Cluster) -> Iterator[None]:
    """Define the kinds of the Gateway API during the block, if the cluster lacks them."""
    if _has_definitions(cluster):
        yield
        return
    manifests = definitions()
    cluster.apply(manifests, "--server-side")  # too large for an annotation
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", namespaced=False)
    try:
        yield
    finally:
        cluster.apply(manifests, verb="delete")


def _has_definitions(cluster: Cluster) -> bool:
    return f"httproutes.{GROUP}" in cluster.kubectl("get", "crd", "-o", "name", namespaced=False)


@contextmanager
def _access(place: Cluster) -> Iterator[None]:
    """Let the service account of the namespace read what a controller reads, during the block."""
    read = ["get", "list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["services", "secrets", "nodes"], "verbs": read},
        {"apiGroups": [""], "resources": ["namespaces", "configmaps"], "verbs": read},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read},
        {"apiGroups": [GROUP], "resources": ["*"], "verbs": [*read, "update", "patch"]},
    ]
    name, api = place.namespace, "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{api}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": place.namespace}
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
        "subjects": [subject],
    }
    manifests = json.dumps({"apiVersion": "v1", "kind": "List", "items": [role, binding]})
    place.apply(manifests)
    try:
        yield
    finally:
        place.apply(manifests, verb="delete")


def _controller(place: Cluster, image: str, host: str) -> list[dict[str, Any]]:
    """Return Traefik as the controller of Gateways, and its Service."""
    labels = {"app": NAME}
    pod = restricted_pod(NAME, labels, place.tag, (), PORT)
    (container,) = pod["spec"]["containers"]
    del container["command"]
    container |= {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": [
            f"--entrypoints.web.address=:{PORT}",
            "--providers.kubernetesgateway=true",
            f"--providers.kubernetesgateway.statusaddress.hostname={host}",
            "--global.sendanonymoususage=false",
            "--global.checknewversion=false",
        ],
    }
    pod["spec"]["automountServiceAccountToken"] = True
    ports = [{"port": PORT}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {"selector": labels, "ports": ports},
    }
    return [pod, service]


def _gateway_class(place: Cluster) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "GatewayClass",
        "metadata": {"name": place.namespace},
        "spec": {"controllerName": "traefik.io/gateway-controller"},
    }


def _gateway(place: Cluster) -> dict[str, Any]:
    listener = {
        "name": "http",
        "protocol": "HTTP",
        "port": PORT,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Gateway",
        "metadata": {"name": NAME},
        "spec": {"gatewayClassName": place.namespace, "listeners": [listener]},
    }
