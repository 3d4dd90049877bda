"""Targets that are Ingresses, of which only a usable address becomes the URL, and Services."""

from typing import Any

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.resources import INGRESSES, Object
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio

WILDCARD, SHOP = {"host": "*.shop.example"}, {"host": "a.shop.example"}
ANY: Object = {}
TLS_OF_OTHER = [{"hosts": ["b.example"], "secretName": "b"}]


def probe_arguments(harness: OperatorHarness) -> list[str]:
    """Return the arguments of the probe."""
    pod = harness.cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    found: list[str] = pod["containers"][0]["args"]
    return found


def add_ingress(harness: OperatorHarness, spec: Object, points: Any = None) -> Object:
    """Create the Ingress ``front`` with the status of its load balancer."""
    ingress: Object = {"metadata": {"name": "front", "namespace": NAMESPACE}, "spec": spec}
    ingress = harness.add(INGRESSES, ingress)
    status = {"loadBalancer": {"ingress": points}}
    return harness.change(INGRESSES, {**ingress, "status": status}, "status")


def port(number: int, error: str = "", protocol: str = "TCP") -> Object:
    """Return a port in the status of a load balancer."""
    return {"port": number, "protocol": protocol, **({"error": error} if error else {})}


def balanced(*points: Object, tls: list[Object] | None = None) -> tuple[Object, list[Object]]:
    """Return an Ingress for any host, and the entries of its load balancer."""
    return {"rules": [ANY], **({"tls": tls} if tls else {})}, list(points)


USABLE = {
    "host after a wildcard": (({"rules": [WILDCARD, SHOP]}, []), "http://a.shop.example"),
    "TLS of a wildcard": (
        ({"rules": [SHOP], "tls": [{"hosts": ["*.shop.example"]}]}, []),
        "https://a.shop.example",
    ),
    "TLS of all hosts": (
        ({"rules": [SHOP], "tls": [{"secretName": "x"}]}, []),
        "https://a.shop.example",
    ),
    "plain host beside a host with TLS": (
        ({"rules": [SHOP, {"host": "b.example"}], "tls": TLS_OF_OTHER}, []),
        "http://a.shop.example",
    ),
    "host after localhost": (({"rules": [{"host": "localhost"}, SHOP]}, []), "http://a.shop.example"),
    "default backend": (({"defaultBackend": {}}, [{"ip": "192.0.2.1"}]), "http://192.0.2.1"),
    "wildcard beside a rule for any host": (
        ({"rules": [WILDCARD, ANY]}, [{"ip": "192.0.2.1"}]),
        "http://192.0.2.1",
    ),
    "host name after an empty entry": (
        balanced({}, {"hostname": "lb.example"}),
        "http://lb.example",
    ),
    "address beside the name localhost": (
        balanced({"hostname": "localhost", "ip": "192.0.2.1"}),
        "http://192.0.2.1",
    ),
    "address after a loopback address": (
        balanced({"ip": "127.0.0.1"}, {"ip": "192.0.2.1"}),
        "http://192.0.2.1",
    ),
    "addresses of several nodes": (
        balanced({"ip": "192.0.2.1", "ipMode": "VIP"}, {"ip": "192.0.2.2"}),
        "http://192.0.2.1",
    ),
    "IPv6": (balanced({"ip": "2001:db8::1"}), "http://[2001:db8::1]"),
    "IPv6 after its loopback address": (
        balanced({"ip": "::1"}, {"ip": "2001:db8::1"}),
        "http://[2001:db8::1]",
    ),
    "TLS of an address": (
        balanced({"ip": "192.0.2.1"}, tls=[{"secretName": "x"}]),
        "https://192.0.2.1",
    ),
    "ports": (
        balanced({"ip": "192.0.2.1", "ports": [port(443), port(80)]}),
        "http://192.0.2.1",
    ),
    "another port": (
        balanced({"ip": "192.0.2.1", "ports": [port(53, protocol="UDP"), port(8080)]}),
        "http://192.0.2.1:8080",
    ),
    "entry after one whose port has an error": (
        balanced(
            {"ip": "192.0.2.1", "ports": [port(80, "example.com/InUse")]},
            {"ip": "192.0.2.2", "ports": [port(80)]},
        ),
        "http://192.0.2.2",
    ),
}  # fmt: skip

UNUSABLE = {
    "host that is a loopback address": (
        ({"rules": [{"host": "127.0.0.1"}]}, []),
        "127.0.0.1 is a loopback address",
    ),
    "address with the TLS of a host": (
        balanced({"ip": "192.0.2.1"}, tls=TLS_OF_OTHER),
        "TLS for b.example, and a rule without a host: give its rule the host",
    ),
    "no status": (({}, None), "no address yet: wait for its controller"),
    "no rules": (({"rules": None}, []), "no address yet"),
    "empty entry": (balanced({}), "no address yet"),
    "empty values": (({"rules": [{"host": ""}]}, [{"ip": "", "hostname": ""}]), "no address yet"),
    "name localhost": (balanced({"hostname": "localhost"}), "localhost is the probe's own pod"),
    "other loopback": (balanced({"ip": "127.8.8.8"}), "127.8.8.8 is a loopback address"),
    "IPv6 loopback": (balanced({"ip": "::1"}), "::1 is a loopback address"),
    "mapped loopback": (balanced({"ip": "::ffff:127.0.0.1"}), "is a loopback address"),
    "unspecified": (balanced({"ip": "0.0.0.0"}), "0.0.0.0 is the unspecified address"),  # noqa: S104 - of a status
    "IPv6 unspecified": (balanced({"ip": "::"}), ":: is the unspecified address"),
    "link-local": (balanced({"ip": "fe80::1"}), "fe80::1 is a link-local address"),
    "multicast": (balanced({"ip": "224.0.0.1"}), "224.0.0.1 is a multicast address"),
    "no host name": (balanced({"hostname": "pending lb"}), "pending lb is no host name"),
    "port with an error": (
        balanced({"ip": "192.0.2.1", "ports": [port(80, "example.com/InUse")]}),
        "192.0.2.1 has no TCP port without an error (port 80: example.com/InUse)",
    ),
    "UDP alone": (
        balanced({"ip": "192.0.2.1", "ports": [port(80, protocol="UDP")]}),
        "192.0.2.1 has no TCP port",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("ingress", "url"), USABLE.values(), ids=USABLE)
async def test_uses_a_usable_address_of_an_ingress(
    harness: OperatorHarness, ingress: tuple[Object, list[Object]], url: str
) -> None:
    add_ingress(harness, *ingress)
    harness.add_monitor(target={"ingress": {"name": "front"}})
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
    assert harness.status["target"] == url
    assert url in probe_arguments(harness)


@pytest.mark.parametrize(("ingress", "problem"), UNUSABLE.values(), ids=UNUSABLE)
async def test_an_unusable_address_of_an_ingress_names_the_fix(
    harness: OperatorHarness, ingress: tuple[Object, list[Object]], problem: str
) -> None:
    add_ingress(harness, *ingress)
    harness.add_monitor(target={"ingress": {"name": "front"}})
    await harness.reconcile()
    assert harness.ready() == ("False", "NoAddress")
    message = condition(harness.status, "Ready")["message"]
    assert problem in message
    assert "set spec.target.url" in message.lower()
    assert harness.cluster.list_kind("cronjobs") == []


async def test_waits_for_an_ingress_and_uses_its_address(
    harness: OperatorHarness,
) -> None:
    harness.add_monitor(target={"ingress": {"name": "front"}})
    assert await harness.reconcile()
    assert harness.ready() == ("False", "NoIngress")
    ingress: Object = {"metadata": {"name": "front", "namespace": NAMESPACE}, "spec": {}}
    ingress = harness.add(INGRESSES, ingress)
    assert await harness.reconcile()
    assert harness.ready() == ("False", "NoAddress")
    points = {"loadBalancer": {"ingress": [{"ip": "2001:db8::1"}]}}
    harness.change(INGRESSES, {**ingress, "status": points}, "status")
    assert await harness.reconcile() is None
    assert harness.status["target"] == "http://[2001:db8::1]"
    rules = [{"host": "shop.example"}]
    secure = {"tls": [{"secretName": "front"}], "rules": rules}
    harness.change(INGRESSES, {**ingress, "spec": secure})
    await harness.reconcile()
    assert "https://shop.example" in probe_arguments(harness)


@pytest.mark.parametrize(
    ("service", "url"),
    [
        pytest.param({"port": 80}, f"http://shop.{NAMESPACE}.svc", id="default port"),
        pytest.param({"port": 8000}, f"http://shop.{NAMESPACE}.svc:8000", id="port"),
        pytest.param(
            {"port": 443, "scheme": "https", "path": "/api"},
            f"https://shop.{NAMESPACE}.svc/api",
            id="HTTPS with a path",
        ),
    ],
)
async def test_uses_the_cluster_dns_name_of_a_service(
    harness: OperatorHarness, service: Object, url: str
) -> None:
    harness.add_monitor(target={"service": {"name": "shop", **service}})
    await harness.reconcile()
    assert harness.status["target"] == url
