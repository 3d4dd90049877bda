"""Credentials reach only the hosts that the Secret's owner allows."""

from typing import Any

import pytest

from synthetic.operator.conditions import condition
from synthetic.operator.resources import GATEWAYS, HTTP_ROUTES, INGRESSES, SECRETS
from synthetic.operator.secret_binding import HOSTS_ANNOTATION, INPUT_HOSTS_ANNOTATION
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio

LOGIN = {"credentialsSecretRef": {"name": "login"}}


def add_secret(
    harness: OperatorHarness,
    hosts: str | None,
    name: str = "login",
    annotation: str = HOSTS_ANNOTATION,
) -> dict[str, Any]:
    """Create the Secret, as its owner."""
    metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE}
    if hosts is not None:
        metadata["annotations"] = {annotation: hosts}
    return harness.add(SECRETS, {"metadata": metadata, "data": {}})


def hosts_of_probe(harness: OperatorHarness, variable: str = "CREDENTIALS_HOSTS") -> str:
    """Return the hosts to which the probe may send the credentials."""
    pod = harness.cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (found,) = [e["value"] for e in pod["containers"][0]["env"] if e["name"] == variable]
    return str(found)


@pytest.mark.parametrize("hosts", [None, "", "other.example", "shop.example.evil", "ingress/shop"])
async def test_a_secret_that_does_not_allow_the_target_is_not_used(
    harness: OperatorHarness, hosts: str | None
) -> None:
    add_secret(harness, hosts)
    harness.add_monitor(**LOGIN)
    assert await harness.reconcile()
    assert harness.ready() == ("False", "SecretNotBound")
    assert (
        "kubectl annotate secret login --overwrite" in condition(harness.status, "Ready")["message"]
    )
    assert harness.cluster.list_kind("cronjobs") == []


@pytest.mark.parametrize(
    ("hosts", "passed_on"),
    [
        ("shop.example", "shop.example"),
        (" Shop.Example , other.example", "other.example,shop.example"),
        ("*", "*"),
    ],
)
async def test_a_secret_that_allows_the_target_is_used(
    harness: OperatorHarness, hosts: str, passed_on: str
) -> None:
    add_secret(harness, hosts)
    harness.add_monitor(target={"url": "http://shop.example:8080/base"}, **LOGIN)
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
    assert hosts_of_probe(harness) == passed_on


async def test_a_secret_may_allow_the_address_of_an_ingress(harness: OperatorHarness) -> None:
    rules = {"rules": [{"host": "front.example"}]}
    harness.add(INGRESSES, {"metadata": {"name": "front", "namespace": NAMESPACE}, "spec": rules})
    add_secret(harness, "ingress/front")
    harness.add_monitor(target={"ingress": {"name": "front"}}, **LOGIN)
    await harness.reconcile()
    assert hosts_of_probe(harness) == "front.example"
    harness.update_spec(target={"url": "http://front.example"})  # another owner's, by now
    await harness.reconcile()
    assert harness.ready() == ("False", "SecretNotBound")


@pytest.mark.parametrize(
    ("kind", "entry"),
    [("httpRoute", "httproute/shop"), ("gateway", "gateway/shop"), ("service", "service/shop")],
)
async def test_a_secret_may_allow_the_address_of_another_object(
    harness: OperatorHarness, kind: str, entry: str
) -> None:
    listeners = [{"name": "a", "protocol": "HTTP", "port": 80, "hostname": "shop.example"}]
    metadata: dict[str, Any] = {"name": "shop", "namespace": NAMESPACE}
    parent = {"name": "shop"}
    accepted = {"parentRef": parent, "conditions": [{"type": "Accepted", "status": "True"}]}
    harness.add(GATEWAYS, {"metadata": metadata, "spec": {"listeners": listeners}})
    route = {"metadata": metadata, "spec": {"parentRefs": [parent]}}
    harness.add(HTTP_ROUTES, {**route, "status": {"parents": [accepted]}})
    secret = add_secret(harness, "ingress/shop")
    harness.add_monitor(target={kind: {"name": "shop", "port": 80}}, **LOGIN)
    await harness.reconcile()
    assert harness.ready() == ("False", "SecretNotBound")
    metadata = {**secret["metadata"], "annotations": {HOSTS_ANNOTATION: entry}}
    harness.change(SECRETS, {**secret, "metadata": metadata})
    await harness.reconcile()
    expected = f"shop.{NAMESPACE}.svc" if kind == "service" else "shop.example"
    assert hosts_of_probe(harness) == expected


async def test_the_credentials_of_a_missing_secret_reach_no_host(harness: OperatorHarness) -> None:
    harness.add_monitor(**LOGIN)
    await harness.reconcile()
    assert hosts_of_probe(harness) == ""
    add_secret(harness, "shop.example")
    await harness.reconcile()
    assert hosts_of_probe(harness) == "shop.example"


async def test_a_host_that_is_no_longer_allowed_stops_the_runs(harness: OperatorHarness) -> None:
    secret = add_secret(harness, "shop.example")
    harness.add_monitor(**LOGIN)
    await harness.reconcile()
    metadata = {**secret["metadata"], "annotations": {}}
    harness.change(SECRETS, {**secret, "metadata": metadata})
    for _ in range(2):
        await harness.reconcile()
    assert harness.cron_job["spec"]["suspend"]
    assert harness.healthy() == ("Unknown", "NotReady")
    harness.change(SECRETS, secret)
    await harness.reconcile()
    assert not harness.cron_job["spec"]["suspend"]
    assert harness.events().count("CronJobRestored") == 0


async def test_a_secret_has_to_allow_all_servers_of_the_journey(harness: OperatorHarness) -> None:
    add_secret(harness, "shop.example")
    harness.add_monitor(servers={"clients": "https://stock.example:8443/v1"}, **LOGIN)
    await harness.reconcile()
    assert harness.ready() == ("False", "SecretNotBound")
    message = condition(harness.status, "Ready")["message"]
    assert "does not allow the host stock.example" in message
    assert "=shop.example,stock.example" in message
    harness.delete(SECRETS, "login")
    add_secret(harness, "shop.example,stock.example")
    await harness.reconcile()
    assert hosts_of_probe(harness) == "shop.example,stock.example"


INPUTS = {"inputsFrom": [{"secretRef": {"name": "pins"}}, {"secretRef": {"name": "cards"}}]}


@pytest.mark.parametrize(
    ("annotation", "hosts"),
    [
        pytest.param(INPUT_HOSTS_ANNOTATION, None, id="none"),
        pytest.param(INPUT_HOSTS_ANNOTATION, "other.example", id="other"),
        pytest.param(HOSTS_ANNOTATION, "shop.example", id="for credentials alone"),
    ],
)
async def test_secret_inputs_need_an_annotation_of_their_own(
    harness: OperatorHarness, annotation: str, hosts: str | None
) -> None:
    add_secret(harness, "*", "pins", INPUT_HOSTS_ANNOTATION)
    add_secret(harness, hosts, "cards", annotation)
    harness.add_monitor(**INPUTS)
    await harness.reconcile()
    assert harness.ready() == ("False", "SecretNotBound")
    message = condition(harness.status, "Ready")["message"]
    assert (
        "kubectl annotate secret cards --overwrite monitoring.cadastro.dev/input-hosts=" in message
    )
    assert harness.cluster.list_kind("cronjobs") == []


@pytest.mark.parametrize(
    ("pins", "cards", "common"),
    [
        ("*", "*", "*"),
        ("*", "a.example,shop.example", "a.example,shop.example"),
        ("a.example,shop.example", "b.example,shop.example", "shop.example"),
    ],
)
async def test_secret_inputs_reach_the_hosts_that_all_their_secrets_allow(
    harness: OperatorHarness, pins: str, cards: str, common: str
) -> None:
    add_secret(harness, pins, "pins", INPUT_HOSTS_ANNOTATION)
    add_secret(harness, cards, "cards", INPUT_HOSTS_ANNOTATION)
    harness.add_monitor(**INPUTS)
    await harness.reconcile()
    assert hosts_of_probe(harness, "INPUTS_HOSTS") == common
    harness.delete(SECRETS, "cards")
    await harness.reconcile()
    assert hosts_of_probe(harness, "INPUTS_HOSTS") == ""


CERTIFICATE = {
    "target": {"url": "https://shop.example", "clientCertificateSecretRef": {"name": "edge"}}
}
PROXY = {"proxyFrom": {"secretKeyRef": {"name": "edge", "key": "url"}}}


@pytest.mark.parametrize("spec", [CERTIFICATE, PROXY], ids=["certificate", "proxy"])
async def test_the_secrets_of_the_transport_are_bound_to_hosts(
    harness: OperatorHarness, spec: dict[str, Any]
) -> None:
    add_secret(harness, "other.example", "edge")
    harness.add_monitor(**spec)
    await harness.reconcile()
    assert harness.ready() == ("False", "SecretNotBound")
    harness.delete(SECRETS, "edge")
    add_secret(harness, "other.example,shop.example", "edge")
    await harness.reconcile()
    assert harness.ready() == ("True", "Scheduled")
    if spec is CERTIFICATE:
        assert hosts_of_probe(harness, "CERTIFICATE_HOSTS") == "other.example,shop.example"


async def test_a_secret_has_to_allow_the_proxy(harness: OperatorHarness) -> None:
    add_secret(harness, "shop.example")
    harness.add_monitor(proxy="http://proxy.example:3128", **LOGIN)
    await harness.reconcile()
    assert harness.ready() == ("False", "SecretNotBound")
    assert "the host proxy.example" in condition(harness.status, "Ready")["message"]
    harness.delete(SECRETS, "login")
    add_secret(harness, "shop.example,proxy.example")
    await harness.reconcile()
    assert hosts_of_probe(harness) == "proxy.example,shop.example"
