"""Two releases behind one ingress, and two operators of one namespace."""

import ipaddress
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from devstack.service_catalog import SERVICES
from synthetic.operator.conditions import condition
from synthetic.operator.namespace_lease import LEASE_NAME
from tests.e2e.context import Context
from tests.e2e.dead_release import check_alerts
from tests.e2e.synthetic_monitors import delete_cluster_objects
from tests.support.cluster import CHART, INGRESS_HOST, RELEASE, Cluster
from tests.support.commands import CommandError, run_command
from tests.support.steps import StepFailed, check, wait_until

FRONT = "front"  # a Service whose DNS name leads to the ingress controller
RIVAL_CHART, RIVAL = "charts/synthetic", "rival"
CHECKED, UNCHECKED, QUIET = "clients-health", "unchecked", "quiet"
DISABLED = (
    *("auth-health", "products-health", "inventory-health"),
    *("auth-login", "clients-crud", "products-crud", "inventory-purchase"),
)
RESYNC_SECONDS, RENEWALS = 5, 3
TIMEOUT_SECONDS = 180.0


def check_neighbours(context: Context) -> str:
    """Install a release without pods beside one that matches all hosts, and a second operator.

    Then that release's operator stops, too, and the alerts of both releases are compared.
    """
    if not context.cluster.is_reachable_from_pods:
        return f"skipped: with {INGRESS_HOST} no release matches all hosts"
    with context.cluster.scratch_namespace("neighbour") as second:
        host = f"{FRONT}.{second.namespace}.svc.cluster.local"
        second.apply(json.dumps(_front(second.namespace, context.url)))
        _check_refused(second, host)
        try:
            _install(second, host)
            answer = _check_health(second)
            with _rival(context.cluster):
                conflict = _check_conflict(second)
            alerts = check_alerts(context.cluster, second)
        finally:  # its ClusterRoles are in no namespace
            delete_cluster_objects(second)
    return f"{answer}; {conflict}; {alerts}"


def _front(namespace: str, url: str) -> dict[str, Any]:
    """Return a Service, and its endpoint, for the host of a URL."""
    host = urlsplit(url).hostname or ""
    metadata = {"name": FRONT, "namespace": namespace}
    service: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return service | {"spec": {"type": "ExternalName", "externalName": host}}
    ports = [{"name": "http", "port": 80}]
    labels = {"kubernetes.io/service-name": FRONT}
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": labels},
        "addressType": f"IPv{version}",
        "endpoints": [{"addresses": [host]}],
        "ports": ports,
    }
    items = [service | {"spec": {"ports": ports}}, endpoints]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _check_refused(cluster: Cluster, host: str) -> None:
    """Check that the chart refuses a release beside one that matches all hosts."""
    try:
        cluster.install(**{"ingress.host": host})
    except CommandError as error:
        check("ingress.checkHosts" in str(error), f"the chart does not name the check: {error}")
    else:
        raise StepFailed("the chart accepts a release whose host another one matches")


def _install(cluster: Cluster, host: str) -> None:
    """Install a release whose services have no pods; its operator has some."""
    options = [f"--set={name}={value}" for name, value in _values(host).items()]
    run_command(
        *("helm", "install", RELEASE, CHART, "-n", cluster.namespace, *cluster.images(), *options)
    )
    for service in SERVICES:
        cluster.kubectl("scale", "deployment", f"{RELEASE}-{service}", "--replicas=0")
    cluster.wait_for_rollouts(f"deployment/{RELEASE}-synthetic")


def _values(host: str) -> dict[str, str]:
    """Return the values of a release with three monitors."""
    target = {"journey": CHECKED, "interval": "1m", "target.url": f"http://{host}"}
    once = {"thresholds.failures": "1", "thresholds.outOf": "1"}
    monitors = {
        **{f"{name}.enabled": "false" for name in DISABLED},
        **{f"{CHECKED}.{name}": value for name, value in once.items()},
        **{f"{UNCHECKED}.{name}": value for name, value in target.items()},
        **{f"{QUIET}.{name}": value for name, value in (target | {"suspend": "true"}).items()},
    }
    return {
        "ingress.host": host,
        "ingress.checkHosts": "false",
        **{f"{service}.replicas": "1" for service in SERVICES},
        **{f"{service}.relay": "false" for service in ("clients", "products")},
        "synthetic.resyncSeconds": str(RESYNC_SECONDS),
        **{f"synthetic.monitors.{name}": value for name, value in monitors.items()},
    }


def _check_health(cluster: Cluster) -> str:
    """Check that the health monitor of a release without pods fails."""
    wait_until(
        lambda: {CHECKED, UNCHECKED, QUIET} <= _monitors(cluster).keys(),
        TIMEOUT_SECONDS,
        "the operator has not created the monitors",
    )
    wait_until(
        lambda: all(_monitors(cluster)[name].get("lastRun") for name in (CHECKED, UNCHECKED)),
        TIMEOUT_SECONDS,
        lambda: f"no run has ended: {_monitors(cluster)}",
    )
    status = _monitors(cluster)[CHECKED]
    check(condition(status, "Healthy")["status"] == "False", f"it is healthy: {status}")
    is_answered = _monitors(cluster)[UNCHECKED]["lastRun"]["result"] == "passed"
    reason = status["lastRun"]["reason"]
    expected = "assertion" if is_answered else "http_status"
    check(reason == expected, f"the reason is {reason}, and not {expected}")
    by = "another release answers" if is_answered else "the ingress answers"
    return f"{by}, and the health monitor fails: {reason}"


@contextmanager
def _rival(cluster: Cluster) -> Iterator[None]:
    """Run another operator that watches all namespaces during the block."""
    with cluster.scratch_namespace(RIVAL) as other:
        values = {
            "watch.allNamespaces": "true",
            "crds.enabled": "false",
            "resyncSeconds": str(RESYNC_SECONDS),
        }
        options = [*other.images(), *(f"--set={name}={value}" for name, value in values.items())]
        where = ("-n", other.namespace)
        run_command("helm", "install", RIVAL, RIVAL_CHART, *where, *options, "--wait")
        try:
            yield
        finally:  # its ClusterRole is in no namespace
            run_command("helm", "uninstall", RIVAL, *where, "--wait")


def _check_conflict(cluster: Cluster) -> str:
    """Check that one operator acts, reports the other one, and writes nothing more."""
    wait_until(
        lambda: condition(_monitors(cluster)[QUIET], "OperatorConflict"),
        TIMEOUT_SECONDS,
        "the monitor has no condition OperatorConflict",
    )
    message = condition(_monitors(cluster)[QUIET], "OperatorConflict")["message"]
    check(f"{RIVAL}/{RIVAL}-synthetic" in message, f"the condition is {message}")
    before, renewed = _versions(cluster), {_renew_time(cluster)}

    def has_renewed() -> bool:
        renewed.add(_renew_time(cluster))
        return len(renewed) > RENEWALS

    wait_until(has_renewed, TIMEOUT_SECONDS, "the holder does not renew its Lease")
    check(_versions(cluster) == before, f"{_versions(cluster)} after {before}: an operator writes")
    (cron_job,) = _quiet(cluster, "cronjobs")
    labels = cron_job["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    owner = labels["app.kubernetes.io/instance"]
    check(owner == RELEASE, f"the CronJob is the one of {owner}")
    return f"of two operators one writes, nothing in {RENEWALS} resyncs, and reports the other"


def _monitors(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Return the status of each monitor."""
    return {item["metadata"]["name"]: item.get("status", {}) for item in cluster.objects("synmon")}


def _quiet(cluster: Cluster, kind: str) -> list[dict[str, Any]]:
    """Return the objects of the suspended monitor, which no run changes."""
    return [i for i in cluster.objects(kind) if i["metadata"]["name"].startswith(QUIET)]


def _versions(cluster: Cluster) -> list[str]:
    found = [*_quiet(cluster, "synmon"), *_quiet(cluster, "cronjobs")]
    return [item["metadata"]["resourceVersion"] for item in found]


def _renew_time(cluster: Cluster) -> str:
    lease = json.loads(cluster.kubectl("get", "lease", LEASE_NAME, "-o", "json"))
    return str(lease["spec"]["renewTime"])
