"""The monitors of the release: they report its health, and the faults of a drill."""

import json
import time

from tests.drill import runner
from tests.drill.maintenance import MaintenanceExperiment
from tests.drill.manifests import NOTIFY_VALUES
from tests.e2e.context import Context
from tests.support.cluster import RELEASE, Cluster
from tests.support.commands import run_command
from tests.support.steps import check, wait_until

GROUP = "monitoring.cadastro.dev"
CRD = f"syntheticmonitors.{GROUP}"
ROLES = ("syntheticmonitors-view", "syntheticmonitors-edit")  # they stay with the CRD
HELM_RELEASE = "meta.helm.sh/release"  # prefix of the annotations with name and namespace
CHART, OTHER = "charts/synthetic", "second"
JOURNEYS = 8  # the monitors of the release
RESTORE_TIMEOUT_SECONDS = 60.0  # of a deleted CronJob


def check_monitors(context: Context) -> str:
    """Run every monitor: each must pass, and the operator must restore a deleted CronJob."""
    cluster = context.cluster
    cluster.values = [
        *cluster.values,
        f"synthetic.target.url={context.url}",
        *(f"{name}={value}" for name, value in NOTIFY_VALUES.items()),  # for the drill
    ]  # for later upgrades too
    cluster.install("upgrade")
    cluster.wait_for_rollouts(f"deployment/{RELEASE}-synthetic")
    _wait(context, "--for=condition=Ready", "--all")
    _run_now(context, "--all")
    _wait(context, "--for=condition=Healthy", "--all")
    monitors = cluster.objects("synmon")
    check(len(monitors) == JOURNEYS, f"there are {len(monitors)} monitors")
    name = _cronjob_of(context, "clients-health")
    cluster.kubectl("delete", "cronjob", name)
    wait_until(
        lambda: name in _cronjobs(context),
        RESTORE_TIMEOUT_SECONDS,
        f"the CronJob {name} was not restored",
    )
    return f"{len(monitors)} are healthy; a deleted CronJob was restored"


def run_drill(context: Context) -> str:
    """Inject each fault once: a monitor reports it and the recovery, and nothing in maintenance."""
    with runner.prepared(context.cluster, context.url) as (target, observer):
        rows = list(runner.drill(target, observer, runner.one_per_fault()))
        maintenance = MaintenanceExperiment(target, observer).check()
    missed = [f"{row.fault} of {row.service}: {row.summary}" for row in rows if row.misses]
    check(not missed, "; ".join(missed))
    slowest = max(row.seconds for row in rows)
    told = "reported, alerted, notified and recovered"
    return f"{len(rows)} faults {told}; the slowest after {slowest:.0f} s; {maintenance}"


def install_second_operator(context: Context) -> str:
    """Install a second operator in another namespace: it leaves the CRD to its release."""
    before, monitors = _crd_owner(context.cluster), len(context.cluster.objects("synmon"))
    with context.cluster.scratch_namespace(OTHER) as second:
        monitor = {"journey": "auth-health", "interval": "1m"}
        values = {"target.url": context.url}
        values |= {f"monitors.auth-health.{name}": value for name, value in monitor.items()}
        options = [f"--set={name}={value}" for name, value in values.items()]
        where = ("-n", second.namespace)
        output = run_command(
            "helm", "install", OTHER, CHART, *where, *second.images(), *options, "--wait"
        )
        expected = "managed by the release {} in the namespace {}".format(*before)
        check(expected in output, f"the NOTES do not say {expected!r}: {output}")
        second.kubectl("wait", "--for=condition=Ready", "synmon/auth-health", "--timeout=60s")
        run_command("helm", "uninstall", OTHER, *where, "--wait")
        check(_crd_owner(second) == before, "the CRD has another owner")
    check(len(context.cluster.objects("synmon")) == monitors, "monitors were deleted")
    return "a second operator works with it, says whose it is, and leaves it when it goes"


def _crd_owner(cluster: Cluster) -> tuple[str, str]:
    """Return the name and the namespace of the release that installed the CRD."""
    found = cluster.kubectl("get", "crd", CRD, "-o", "json", namespaced=False)
    annotations = json.loads(found)["metadata"]["annotations"]
    return annotations[f"{HELM_RELEASE}-name"], annotations[f"{HELM_RELEASE}-namespace"]


def delete_cluster_objects(cluster: Cluster) -> None:
    """Delete the release's cluster-scoped objects, unless other namespaces use its CRD or roles."""
    if CRD in _owned(cluster, "crd") or set(ROLES) & set(_owned(cluster, "clusterrole")):
        used = cluster.kubectl("get", "synmon", "-A", "-o", "json", namespaced=False)
        namespaces = {each["metadata"]["namespace"] for each in json.loads(used)["items"]}
        if namespaces - {cluster.namespace}:
            return
    for kind in ("crd", "clusterrolebinding", "clusterrole"):
        for name in _owned(cluster, kind):
            cluster.kubectl("delete", kind, name, "--wait=false", namespaced=False)


def _owned(cluster: Cluster, kind: str) -> list[str]:
    """Return the cluster-scoped objects that Helm installed with releases of the namespace."""
    found = cluster.kubectl("get", kind, "-o", "json", namespaced=False)
    return [
        item["metadata"]["name"]
        for item in json.loads(found)["items"]
        if item["metadata"].get("annotations", {}).get(f"{HELM_RELEASE}-namespace")
        == cluster.namespace
    ]


def _run_now(context: Context, *selector: str) -> None:
    annotation = f"{GROUP}/run-requested-at={time.time()}"
    context.cluster.kubectl("annotate", "synmon", *selector, annotation, "--overwrite")


def _wait(context: Context, condition: str, *selector: str) -> None:
    timeout = f"--timeout={context.cluster.timeout}"
    context.cluster.kubectl("wait", condition, "synmon", *selector, timeout)


def _cronjobs(context: Context) -> list[str]:
    return [str(item["metadata"]["name"]) for item in context.cluster.objects("cronjobs")]


def _cronjob_of(context: Context, monitor: str) -> str:
    return next(name for name in _cronjobs(context) if name.startswith(monitor))
