"""The faults: how each is made, how it is mended, and what a monitor must say of it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import httpx

from localstack import catalogue
from tests.drill import manifests, proxy
from tests.e2e.context import check
from tests.support.cluster import RELEASE, Cluster

PAUSE = 0.5  # seconds
PATIENCE = 60.0  # seconds until a fault is in force
SLOW = 2.0  # seconds for an answer, under no load
IN_A_ROW = 3  # requests that meet a fault, until it is taken for granted
OPERATOR = f"deployment/{RELEASE}-synthetic"
RESOLVES = """
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
class Site:
    """Where the faults are made: a cluster, and the address of the release in it."""

    cluster: Cluster
    url: str


@dataclass(frozen=True)
class Fault:
    """One way in which a service breaks."""

    name: str
    make: Callable[[Site, str], AbstractContextManager[None]]  # it is in force within the block
    reason: str  # of the probe
    needs_token: bool = False  # it shows in a journey that has one
    is_of_tls: bool = False  # it shows under https


@contextmanager
def down(site: Site, service: str) -> Iterator[None]:
    """Take all pods of a service away; they answer while they drain."""
    deployment = f"deployment/{RELEASE}-{service}"
    replicas = site.cluster.kubectl("get", deployment, "-o", "jsonpath={.spec.replicas}")
    try:
        site.cluster.kubectl("scale", deployment, "--replicas=0")
        _wait(lambda: not site.cluster.pods(service), f"the pods of {service} did not go")
        yield
    finally:
        site.cluster.kubectl("scale", deployment, f"--replicas={replicas}")
        site.cluster.wait_for_rollouts(deployment)


@contextmanager
def database_away(site: Site, service: str) -> Iterator[None]:
    """Have PostgreSQL refuse a service's connections, and end those that it has."""
    refuse = f'ALTER DATABASE "{service}" ALLOW_CONNECTIONS'
    end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname ="

    def alone() -> bool:
        return site.cluster.sql("postgres", f"{end} '{service}'") == "0"

    try:
        site.cluster.sql("postgres", f"{refuse} false")
        # a connection that was being made meanwhile would serve the whole service from then on
        _wait(alone, f"{service} is still connected to its database")
        yield
    finally:
        site.cluster.sql("postgres", f"{refuse} true")
        site.cluster.wait_for_rollouts(f"deployment/{RELEASE}-{service}")


def spoiled(port: str) -> Callable[[Site, str], AbstractContextManager[None]]:
    """Return the fault that one of the proxy's ports stands for: the service's name leads there."""

    @contextmanager
    def make(site: Site, service: str) -> Iterator[None]:
        name = f"{RELEASE}-{service}"
        live = json.loads(site.cluster.kubectl("get", "service", name, "-o", "json"))["spec"]
        before = live["selector"], live["ports"][0]["targetPort"]
        path = catalogue.routes()[service][0]
        host = manifests.host(site.cluster, manifests.ENTRY)
        try:
            _lead(site.cluster, name, manifests.PROXY_LABELS, port)
            # the ingress hears of it later, and has more than one connection
            _wait(
                lambda: all(is_spoiled(f"{site.url}{path}", host, port) for _ in range(IN_A_ROW)),
                f"{service} is not spoiled",
            )
            yield
        finally:
            _lead(site.cluster, name, *before)

    return make


@contextmanager
def tls_broken(site: Site, _: str) -> Iterator[None]:
    """Show a certificate that is for another name."""
    shown = _certificate(site.cluster)
    try:
        _lead(site.cluster, manifests.EDGE, manifests.PROXY_LABELS, "tls-wrong")
        _wait(lambda: _certificate(site.cluster) != shown, "the certificate stays")
        yield
    finally:
        _lead(site.cluster, manifests.EDGE, manifests.PROXY_LABELS, "tls")


@contextmanager
def dns_gone(site: Site, _: str) -> Iterator[None]:
    """Take the name of the way in away, and wait until DNS has forgotten it."""
    name = manifests.host(site.cluster, manifests.ENTRY)
    try:
        site.cluster.kubectl("delete", "service", manifests.ENTRY)
        _wait(lambda: not _resolves(site.cluster, name), f"{name} still resolves")
        yield
    finally:
        _put(site.cluster, *manifests.entry(site.url))
        _wait(lambda: _resolves(site.cluster, name), f"{name} does not resolve again")


FAULTS = (
    Fault("down", down, "http_status"),
    Fault("slow", spoiled("slow"), "timeout"),
    Fault("status", spoiled("status"), "http_status"),
    Fault("contract", spoiled("contract"), "schema"),
    Fault("database", database_away, "http_status"),
    Fault("token", spoiled("token"), "auth", needs_token=True),
    Fault("dns", dns_gone, "dns"),
    Fault("tls", tls_broken, "tls", is_of_tls=True),
)


def is_spoiled(url: str, host: str, fault: str) -> bool:
    """Tell whether a request to ``url``, in the name of ``host``, meets a fault of the proxy's."""
    try:
        answer = httpx.get(url, headers={"Host": host}, timeout=SLOW)
    except httpx.ReadTimeout:
        return fault == "slow"
    met: str | None = answer.headers.get(proxy.MARK)
    return met == fault


def _lead(cluster: Cluster, service: str, selector: dict[str, str], port: str | int) -> None:
    """Have a Service lead to other pods, at another of their ports."""
    patch = [
        {"op": "replace", "path": "/spec/selector", "value": selector},
        {"op": "replace", "path": "/spec/ports/0/targetPort", "value": port},
    ]
    cluster.kubectl("patch", "service", service, "--type=json", "-p", json.dumps(patch))


def _resolves(cluster: Cluster, name: str) -> bool:
    """Tell whether a pod of the cluster finds an address for a name."""
    told = cluster.kubectl("exec", OPERATOR, "--", "python", "-c", RESOLVES, name)
    return told.strip() == "yes"


def _certificate(cluster: Cluster) -> str:
    """Return the certificate that pods of the cluster are shown under https."""
    name = manifests.host(cluster, manifests.EDGE)
    asking = f"deployment/{manifests.PROXY}"
    return cluster.kubectl("exec", asking, "--", "python", "-c", CERTIFICATE, name)


def _put(cluster: Cluster, *objects: manifests.Object) -> None:
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        check(time.monotonic() < deadline, otherwise)
        time.sleep(PAUSE)
