"""Build, install, scheduled jobs, examples, and uninstall."""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import httpx

from devstack.service_catalog import SERVICES
from scripts.release.artifacts import build as build_release
from scripts.release.registry import Registry
from tests.e2e import ingress_conflicts
from tests.e2e.context import Context
from tests.e2e.synthetic_monitors import CRD
from tests.support import images
from tests.support.cluster import CHART, RELEASE, Cluster
from tests.support.commands import ROOT
from tests.support.steps import TooSlow, check, wait_until

FIRST_PURCHASE_LIMIT_SECONDS = 90.0  # from `helm install`
DELETION_TIMEOUT_SECONDS = 60.0  # dependents are deleted after their owner
KEEP = "helm.sh/resource-policy"
KINDS = (
    "deployments,statefulsets,jobs,cronjobs,services,serviceaccounts,ingresses,configmaps,secrets,pvc"
    ",pdb,hpa,networkpolicies,roles,rolebindings"
)


def build(context: Context) -> str:
    """Build the images and push them."""
    images.build(context.cluster.tag)
    return f"tag {context.cluster.tag}"


def install(context: Context) -> str:
    """Install into an empty namespace, and buy through the ingress."""
    deleted = ingress_conflicts.reclaim_host(context.cluster)
    context.cluster.make_namespace()
    started = time.monotonic()
    context.cluster.install()
    context.url = context.cluster.url()
    context.buy()
    took = time.monotonic() - started
    if took >= FIRST_PURCHASE_LIMIT_SECONDS:
        raise TooSlow(f"it took {took:.0f} s, and may take {FIRST_PURCHASE_LIMIT_SECONDS:.0f}")
    return ", ".join([f"{took:.0f} s", *(f"{name} was deleted before" for name in deleted)])


def run_cron_jobs(context: Context) -> str:
    """Run a Job of each CronJob of the release."""
    names = [item["metadata"]["name"] for item in context.cluster.objects("cronjobs")]
    ours = [name for name in names if name.startswith(RELEASE)]
    check(len(ours) > len(SERVICES), f"only these CronJobs: {', '.join(names)}")
    run_jobs(context.cluster, *ours)
    return f"{len(ours)} completed"


def run_jobs(cluster: Cluster, *cron_jobs: str) -> None:
    """Run a Job of each CronJob at once, and wait for their completion."""
    for name in cron_jobs:
        cluster.kubectl("create", "job", f"try-{name}", f"--from=cronjob/{name}")
    for name in cron_jobs:
        limit = f"--timeout={cluster.timeout}"
        cluster.kubectl("wait", "--for=condition=Complete", f"job/try-{name}", limit)
        cluster.kubectl("delete", "job", f"try-{name}")


def check_examples(context: Context) -> str:
    """Check the manifests of each example by a dry run on the API server."""
    kinds = context.cluster.kubectl("api-resources", "-o", "name", namespaced=False)
    details = []
    for example in sorted((ROOT / "charts" / "examples").glob("*.yaml")):
        if example.stem == "gateway" and "httproutes.gateway" not in kinds:
            details.append("the cluster has no Gateway API")
            continue
        manifests = context.cluster.template("example", CHART, "-f", str(example))
        accepted = context.cluster.apply(manifests, "--dry-run=server").splitlines()
        details.append(f"{example.stem}: {len(accepted)} objects are accepted")
    if "clusters.postgresql.cnpg.io" in kinds and "objectstores.barmancloud" in kinds:
        manifests = (ROOT / "charts" / "examples" / "cloudnativepg" / "cluster.yaml").read_text()
        accepted = context.cluster.apply(manifests, "--dry-run=server").splitlines()
        details.append(f"CloudNativePG: {len(accepted)} objects are accepted")
    else:
        details.append("the cluster has no CloudNativePG")
    return "; ".join(details)


def check_pod_security(context: Context) -> str:
    """Check that the Pod Security Standard of the namespace has refused no pod."""
    refused = [
        event["message"]
        for event in context.cluster.objects("events")
        if "violates PodSecurity" in event.get("message", "")
    ]
    check(not refused, "; ".join(refused[:3]))
    return "no pod was refused"


def reinstall(context: Context) -> str:
    """Uninstall, check the remaining objects, and reinstall a release with the kept data.

    The release is built, pushed to the registry and installed from there, as by its users.
    """
    cluster = context.cluster
    with httpx.Client(base_url=context.url, timeout=10) as client:
        body = {"username": "permanece", "password": "Testando1"}
        client.post("/users/create", json=body).raise_for_status()
    secrets = cluster.secrets()
    cluster.helm("uninstall")
    wait_until_deleted(cluster)
    cluster.kubectl("get", "crd", CRD, namespaced=False)
    version = f"1.0.1-rc.{int(time.time())}"
    registry = os.environ["REGISTRY"]
    with tempfile.TemporaryDirectory(prefix="cadastro-e2e-") as folder:
        for package in build_release(version, Path(folder)).glob("*.tgz"):
            Registry(registry, plain_http=True).push_chart(package)
    chart = (f"oci://{registry}/charts/cadastro", "--version", version, "--plain-http")
    replace(cluster, chart=chart).install()
    check(cluster.secrets() == secrets, "secrets changed")
    context.buy()
    response = httpx.post(f"{context.url}/users/login", auth=("permanece", "Testando1"), timeout=10)
    check(response.status_code == httpx.codes.OK, f"the user is lost: {response.status_code}")
    return f"only the objects to keep were left; {version} keeps the earlier user"


def wait_until_deleted(cluster: Cluster) -> None:
    """Wait until only the objects to keep are left of the release; raises ``StepFailed``."""
    wait_until(
        lambda: not _left(cluster),
        DELETION_TIMEOUT_SECONDS,
        lambda: f"left behind: {', '.join(_left(cluster))}",
    )


def _left(cluster: Cluster) -> list[str]:
    """Return the objects of the release without the annotation that keeps them."""
    return [
        f"{item['kind']}/{item['metadata']['name']}"
        for item in cluster.objects(KINDS)
        if item["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == RELEASE
        and KEEP not in item["metadata"].get("annotations", {})
    ]
