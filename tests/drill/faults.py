"""The faults of a drill: injection, removal, and the reason that a monitor must report."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import httpx

from devstack import service_catalog
from tests.drill import manifests, proxy
from tests.support.cluster import RELEASE, Cluster
from tests.support.steps import wait_until

ACTIVATION_TIMEOUT_SECONDS = 60.0  # of a fault
SLOW_SECONDS = 2.0  # a response takes less without load
CONSECUTIVE = 3  # requests with the fault that prove its activation
OPERATOR = f"deployment/{RELEASE}-synthetic"
RESOLVE = """
import socket, sys
try:
    socket.getaddrinfo(sys.argv[1], 80)
    print("yes")
except socket.gaierror:
    print("no")
"""
CERTIFICATE = """
import ssl, sys
print(ssl.get_server_certificate((sys.argv[1], 443)))
"""


@dataclass(frozen=True)
class Target:
    """The cluster and the URL of the release."""

    cluster: Cluster
    url: str


@dataclass(frozen=True)
class Fault:
    """One kind of failure of a service."""

    name: str
    inject: Callable[[Target, str], AbstractContextManager[None]]  # active within the block
    reason: str  # that the probe reports
    needs_token: bool = False  # visible to a journey with a token only
    needs_tls: bool = False  # visible over https only


@contextmanager
def down(target: Target, service: str) -> Iterator[None]:
    """Scale a service to zero; its pods still respond while they drain."""
    deployment = f"deployment/{RELEASE}-{service}"
    replicas = target.cluster.kubectl("get", deployment, "-o", "jsonpath={.spec.replicas}")
    try:
        target.cluster.kubectl("scale", deployment, "--replicas=0")
        _wait(lambda: not target.cluster.pods(service), f"the pods of {service} were not deleted")
        yield
    finally:
        target.cluster.kubectl("scale", deployment, f"--replicas={replicas}")
        target.cluster.wait_for_rollouts(deployment)


@contextmanager
def database_outage(target: Target, service: str) -> Iterator[None]:
    """Refuse the database connections of a service, and terminate the present ones."""
    allow = f'ALTER DATABASE "{service}" ALLOW_CONNECTIONS'
    terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname ="

    def has_no_session() -> bool:
        return target.cluster.sql("postgres", f"{terminate} '{service}'") == "0"

    try:
        target.cluster.sql("postgres", f"{allow} false")
        # a connection that was being opened would serve all later requests
        _wait(has_no_session, f"{service} is still connected to its database")
        yield
    finally:
        target.cluster.sql("postgres", f"{allow} true")
        target.cluster.wait_for_rollouts(f"deployment/{RELEASE}-{service}")


def faulty_proxy(port: str) -> Callable[[Target, str], AbstractContextManager[None]]:
    """Return a fault that redirects a service to a port of the proxy."""

    @contextmanager
    def inject(target: Target, service: str) -> Iterator[None]:
        name = f"{RELEASE}-{service}"
        live = json.loads(target.cluster.kubectl("get", "service", name, "-o", "json"))["spec"]
        before = live["selector"], live["ports"][0]["targetPort"]
        path = service_catalog.routes()[service][0]
        host = manifests.host(target.cluster, manifests.ENTRY)
        try:
            _redirect(target.cluster, name, manifests.PROXY_LABELS, port)
            # the ingress uses the new endpoints later, on several connections
            _wait(
                lambda: all(
                    is_faulty(f"{target.url}{path}", host, port) for _ in range(CONSECUTIVE)
                ),
                f"{service} does not show the fault",
            )
            yield
        finally:
            _redirect(target.cluster, name, *before)

    return inject


@contextmanager
def tls_broken(target: Target, _: str) -> Iterator[None]:
    """Serve a certificate for another name."""
    valid = _certificate(target.cluster)
    try:
        _redirect(target.cluster, manifests.EDGE, manifests.PROXY_LABELS, "tls-wrong")
        _wait(lambda: _certificate(target.cluster) != valid, "the certificate stays")
        yield
    finally:
        _redirect(target.cluster, manifests.EDGE, manifests.PROXY_LABELS, "tls")


@contextmanager
def dns_outage(target: Target, _: str) -> Iterator[None]:
    """Delete the name of the entry point, and wait until it no longer resolves."""
    name = manifests.host(target.cluster, manifests.ENTRY)
    try:
        target.cluster.kubectl("delete", "service", manifests.ENTRY)
        _wait(lambda: not _resolves(target.cluster, name), f"{name} still resolves")
        yield
    finally:
        _apply(target.cluster, *manifests.entry(target.url))
        _wait(lambda: _resolves(target.cluster, name), f"{name} does not resolve again")


FAULTS = (
    Fault("down", down, "http_status"),
    Fault("slow", faulty_proxy("slow"), "timeout"),
    Fault("status", faulty_proxy("status"), "http_status"),
    Fault("contract", faulty_proxy("contract"), "schema"),
    Fault("database", database_outage, "http_status"),
    Fault("token", faulty_proxy("token"), "auth", needs_token=True),
    Fault("dns", dns_outage, "dns"),
    Fault("tls", tls_broken, "tls", needs_tls=True),
)


def is_faulty(url: str, host: str, fault: str) -> bool:
    """Return whether a request to ``url``, with the Host ``host``, shows a fault of the proxy."""
    try:
        response = httpx.get(url, headers={"Host": host}, timeout=SLOW_SECONDS)
    except httpx.ReadTimeout:
        return fault == "slow"
    injected: str | None = response.headers.get(proxy.FAULT_HEADER)
    return injected == fault


def _redirect(cluster: Cluster, service: str, selector: dict[str, str], port: str | int) -> None:
    """Redirect a Service to other pods and another port."""
    patch = [
        {"op": "replace", "path": "/spec/selector", "value": selector},
        {"op": "replace", "path": "/spec/ports/0/targetPort", "value": port},
    ]
    cluster.kubectl("patch", "service", service, "--type=json", "-p", json.dumps(patch))


def _resolves(cluster: Cluster, name: str) -> bool:
    """Return whether a name resolves in a pod of the cluster."""
    output = cluster.kubectl("exec", OPERATOR, "--", "python", "-c", RESOLVE, name)
    return output.strip() == "yes"


def _certificate(cluster: Cluster) -> str:
    """Return the certificate that a pod of the cluster gets over https."""
    name = manifests.host(cluster, manifests.EDGE)
    pod = f"deployment/{manifests.PROXY}"
    return cluster.kubectl("exec", pod, "--", "python", "-c", CERTIFICATE, name)


def _apply(cluster: Cluster, *objects: manifests.Object) -> None:
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def _wait(condition: Callable[[], bool], message: str) -> None:
    wait_until(condition, ACTIVATION_TIMEOUT_SECONDS, message)
