"""Gateways and HTTPRoutes as a controller of the Gateway API leaves them."""

from typing import Any

from synthetic.operator.resources import GATEWAYS, HTTP_ROUTES, Object
from tests.support.synthetic.fake_cluster import ObjectPath
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

ADDRESS = {"type": "IPAddress", "value": "192.0.2.1"}


def listener(
    name: str = "web", protocol: str = "HTTP", port: int = 80, hostname: str = "", **more: Any
) -> Object:
    """Return a listener of a Gateway."""
    host = {"hostname": hostname} if hostname else {}
    return {"name": name, "protocol": protocol, "port": port, **host, **more}


def add_gateway(
    harness: OperatorHarness,
    listeners: list[Object],
    addresses: list[Object] | None = None,
    rejected: str = "",
    namespace: str = NAMESPACE,
) -> None:
    """Create the Gateway ``public``, whose controller may have rejected a listener."""
    failed = {"type": "Programmed", "status": "False", "reason": "Invalid", "message": "no"}
    status = {
        "addresses": addresses if addresses is not None else [ADDRESS],
        "listeners": [
            {"name": each["name"], "conditions": [failed] if each["name"] == rejected else []}
            for each in listeners
        ],
    }
    metadata = {"name": "public", "namespace": namespace}
    gateway = {"metadata": metadata, "spec": {"listeners": listeners}, "status": status}
    harness.cluster.create(ObjectPath.of(GATEWAYS.path(namespace)), gateway)


def parent(accepted: str = "True", *, reported: Object | None = None, **reference: Any) -> Object:
    """Return a reference to the Gateway, and what its controller reports about it."""
    found = {"name": "public", **reference}
    state = {"type": "Accepted", "status": accepted, "reason": "NotAllowedByListeners"}
    status = {"parentRef": reported or found, "conditions": [{**state, "message": "no match"}]}
    return {"reference": found, "status": status}


def add_route(harness: OperatorHarness, hosts: list[str], *parents: Object) -> None:
    """Create the HTTPRoute ``shop``."""
    references = [each["reference"] for each in parents]
    route = {
        "metadata": {"name": "shop", "namespace": NAMESPACE},
        "spec": {"parentRefs": references, **({"hostnames": hosts} if hosts else {})},
        "status": {"parents": [each["status"] for each in parents]},
    }
    harness.add(HTTP_ROUTES, route)
