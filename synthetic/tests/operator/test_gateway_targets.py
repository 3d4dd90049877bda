"""Targets of the Gateway API: HTTPRoutes and Gateways."""

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.resources import Object
from tests.support.synthetic.fake_cluster import KINDS
from tests.support.synthetic.gateway_objects import (
    ADDRESS,
    add_gateway,
    add_route,
    listener,
    parent,
)
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio

ROUTE_TARGET = {"httpRoute": {"name": "shop"}}
GATEWAY_TARGET = {"gateway": {"name": "public"}}


HTTP, HTTPS = listener(), listener("secure", "HTTPS", 443)
PLAIN_SHOP = listener(hostname="shop.example")
FROM_ALL = {"allowedRoutes": {"namespaces": {"from": "All"}}}


ROUTES: dict[str, tuple[list[str], list[Object], str]] = {
    "host of the route": (["shop.example"], [HTTP], "http://shop.example"),
    "host of the listener": ([], [PLAIN_SHOP], "http://shop.example"),
    "HTTPS before HTTP": (["shop.example"], [HTTP, HTTPS], "https://shop.example"),
    "port of the listener": (
        ["shop.example"],
        [listener("secure", "HTTPS", 8443)],
        "https://shop.example:8443",
    ),
    "wildcard listener": (
        ["a.b.example", "a.shop.example"],
        [listener(hostname="*.shop.example")],
        "http://a.shop.example",
    ),
    "wildcard listener over several labels": (
        ["a.b.shop.example"],
        [listener(hostname="*.shop.example")],
        "http://a.b.shop.example",
    ),
    "wildcard route": (["*.example"], [PLAIN_SHOP], "http://shop.example"),
    "host in upper case": (["Shop.Example"], [PLAIN_SHOP], "http://Shop.Example"),
    "listener for another host": (
        ["shop.example"],
        [listener("other", hostname="other.example"), listener(port=8080)],
        "http://shop.example:8080",
    ),
    "usable host after a wildcard": (["*.example", "a.example"], [HTTP], "http://a.example"),
    "address": ([], [HTTPS, HTTP], "http://192.0.2.1"),
    "address for HTTPS alone": ([], [HTTPS], "https://192.0.2.1"),
    "listener for other kinds": (
        ["shop.example"],
        [
            listener("grpc", "HTTPS", 9443, allowedRoutes={"kinds": [{"kind": "GRPCRoute"}]}),
            listener("tls", "TLS", 8443),
            HTTP,
        ],
        "http://shop.example",
    ),
}

PARENTS = {
    "section": (parent(sectionName="web"), "http://shop.example"),
    "port": (parent(port=80), "http://shop.example"),
    "defaults added by the controller": (
        parent(
            reported={
                "group": "gateway.networking.k8s.io",
                "kind": "Gateway",
                "namespace": NAMESPACE,
                "name": "public",
            }
        ),
        "https://shop.example",
    ),
}

UNUSABLE_ROUTES: dict[str, tuple[list[str], list[Object], list[Object], str]] = {
    "not accepted": (
        [],
        [HTTP],
        [parent("False")],
        "No Gateway has accepted the HTTPRoute shop (public: NotAllowedByListeners: no match)",
    ),
    "accepted under an old reference": (
        [],
        [HTTP],
        [parent(reported={"name": "public", "sectionName": "old"})],
        "No Gateway has accepted",
    ),
    "mesh": ([], [HTTP], [parent(kind="Service", group="")], "No Gateway has accepted"),
    "no common host": (
        ["a.example"],
        [PLAIN_SHOP],
        [parent()],
        "no programmed listener for HTTP or HTTPS serves it",
    ),
    "unknown section": (
        ["a.example"],
        [HTTP],
        [parent(sectionName="no")],
        "no programmed listener",
    ),
    "no HTTP": (["a.example"], [listener("tls", "TLS", 443)], [parent()], "no programmed listener"),
}


@pytest.mark.parametrize(("hosts", "listeners", "url"), ROUTES.values(), ids=ROUTES)
async def test_uses_the_address_of_an_http_route(
    harness: OperatorHarness, hosts: list[str], listeners: list[Object], url: str
) -> None:
    add_gateway(harness, listeners)
    add_route(harness, hosts, parent())
    harness.add_monitor(target=ROUTE_TARGET)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
    assert harness.status["target"] == url


@pytest.mark.parametrize(("reference", "url"), PARENTS.values(), ids=PARENTS)
async def test_uses_the_listener_that_an_http_route_refers_to(
    harness: OperatorHarness, reference: Object, url: str
) -> None:
    add_gateway(harness, [HTTPS, HTTP])
    add_route(harness, ["shop.example"], reference)
    harness.add_monitor(target=ROUTE_TARGET)
    await harness.reconcile()
    assert harness.status["target"] == url


@pytest.mark.parametrize(
    ("hosts", "listeners", "parents", "problem"), UNUSABLE_ROUTES.values(), ids=UNUSABLE_ROUTES
)
async def test_an_http_route_without_a_usable_address_names_the_fix(
    harness: OperatorHarness,
    hosts: list[str],
    listeners: list[Object],
    parents: list[Object],
    problem: str,
) -> None:
    add_gateway(harness, listeners)
    add_route(harness, hosts, *parents)
    harness.add_monitor(target=ROUTE_TARGET)
    assert await harness.reconcile()
    assert harness.ready() == ("False", "NoAddress")
    message = condition(harness.status, "Ready")["message"]
    assert problem in message
    assert "or set spec.target.url" in message


async def test_a_rejected_listener_is_not_used(harness: OperatorHarness) -> None:
    add_gateway(harness, [HTTPS, HTTP], rejected="secure")
    add_route(harness, ["shop.example"], parent())
    harness.add_monitor(target=ROUTE_TARGET)
    await harness.reconcile()
    assert harness.status["target"] == "http://shop.example"


@pytest.mark.parametrize(("allowed", "url"), [({}, ""), (FROM_ALL, "https://shop.example")])
async def test_a_listener_of_another_namespace_has_to_admit_the_route(
    harness: OperatorHarness, allowed: Object, url: str
) -> None:
    add_gateway(harness, [{**HTTPS, **allowed}], namespace="gateways")
    add_route(harness, ["shop.example"], parent(namespace="gateways"))
    harness.add_monitor(target=ROUTE_TARGET)
    await harness.reconcile()
    assert harness.status.get("target", "") == url


async def test_a_later_address_of_an_http_route_is_used(harness: OperatorHarness) -> None:
    harness.add_monitor(target=ROUTE_TARGET)
    assert await harness.reconcile() == 5
    assert harness.ready() == ("False", "NoHTTPRoute")
    add_route(harness, ["shop.example"], parent())
    assert await harness.reconcile() == 5
    assert harness.ready() == ("False", "NoAddress")
    add_gateway(harness, [HTTP])
    assert await harness.reconcile() is None
    assert harness.status["target"] == "http://shop.example"


@pytest.mark.parametrize(
    ("target", "listeners", "url"),
    [
        pytest.param({}, [HTTPS, HTTP], "http://192.0.2.1", id="address"),
        pytest.param({}, [PLAIN_SHOP, HTTPS], "http://shop.example", id="host name"),
        pytest.param({"listener": "secure"}, [HTTP, HTTPS], "https://192.0.2.1", id="listener"),
    ],
)
async def test_uses_the_address_of_a_gateway(
    harness: OperatorHarness, target: Object, listeners: list[Object], url: str
) -> None:
    add_gateway(harness, listeners)
    harness.add_monitor(target={"gateway": {"name": "public", **target}})
    await harness.reconcile()
    assert harness.status["target"] == url


@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        pytest.param([{"value": "192.0.2.7"}], "http://192.0.2.7", id="default type"),
        pytest.param(
            [{"type": "Hostname", "value": "lb.example"}], "http://lb.example", id="host name"
        ),
        pytest.param(
            [{"type": "IPAddress", "value": "::1"}, {"type": "IPAddress", "value": "2001:db8::1"}],
            "http://[2001:db8::1]",
            id="IPv6 after its loopback address",
        ),
        pytest.param(
            [{"type": "NamedAddress", "value": "pool"}, ADDRESS], "http://192.0.2.1", id="pool"
        ),
    ],
)
async def test_uses_only_usable_addresses_of_a_gateway(
    harness: OperatorHarness, addresses: list[Object], url: str
) -> None:
    add_gateway(harness, [HTTP], addresses)
    harness.add_monitor(target=GATEWAY_TARGET)
    await harness.reconcile()
    assert harness.status["target"] == url


async def test_a_gateway_with_a_loopback_address_is_not_used(harness: OperatorHarness) -> None:
    add_gateway(harness, [HTTP], [{"value": "127.0.0.1"}])
    harness.add_monitor(target=GATEWAY_TARGET)
    await harness.reconcile()
    assert harness.ready() == ("False", "NoAddress")
    assert "127.0.0.1 is a loopback" in condition(harness.status, "Ready")["message"]


@pytest.mark.parametrize("target", [ROUTE_TARGET, GATEWAY_TARGET], ids=["route", "gateway"])
async def test_a_cluster_without_the_gateway_api_is_named(
    harness: OperatorHarness, target: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(KINDS, "/apis/gateway.networking.k8s.io/v1")
    harness.add_monitor(target=target)
    assert await harness.reconcile() == 5
    message = condition(harness.status, "Ready")["message"]
    assert "(gateway.networking.k8s.io/v1): install it, or set spec.target.url" in message


async def test_a_gateway_that_the_operator_may_not_read_is_named(harness: OperatorHarness) -> None:
    harness.add_monitor(target=GATEWAY_TARGET)
    harness.cluster.fail("GET", "*/gateways/public", 403)
    await harness.reconcile()
    assert harness.ready() == ("False", "Forbidden")


async def test_a_gateway_of_another_namespace_that_may_not_be_read_names_the_fix(
    harness: OperatorHarness,
) -> None:
    add_gateway(harness, [{**HTTP, **FROM_ALL}], namespace="gateways")
    add_route(harness, ["shop.example"], parent(namespace="gateways"))
    harness.add_monitor(target=ROUTE_TARGET)
    harness.cluster.fail("GET", "*/gateways/public", 403)
    await harness.reconcile()
    assert harness.ready() == ("False", "Forbidden")
    message = condition(harness.status, "Ready")["message"]
    assert "the Gateway public in the namespace gateways: add a RoleBinding there" in message
