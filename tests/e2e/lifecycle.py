"""From an empty namespace to a first purchase, and back to what an uninstall keeps."""

import time

import httpx

from localstack.catalogue import SERVICES
from tests.e2e import ingress_host
from tests.e2e.context import LateError, Trial, check
from tests.e2e.monitoring import DEFINITION
from tests.support.cluster import CHART, RELEASE, ROOT, Cluster

FIRST_PURCHASE = 90.0  # seconds from `helm install`
GONE_WITHIN = 60.0  # seconds: what others own goes after its owner
KEPT = "helm.sh/resource-policy"
KINDS = (
    "deployments,statefulsets,jobs,cronjobs,services,serviceaccounts,ingresses,configmaps,secrets,pvc"
    ",pdb,hpa,networkpolicies,roles,rolebindings"
)


def build(trial: Trial) -> str:
    """Build the images and push them."""
    trial.cluster.build()
    return f"tag {trial.cluster.tag}"


def install(trial: Trial) -> str:
    """Install on an empty namespace, and buy through the ingress."""
    left = ingress_host.free(trial.cluster)
    trial.cluster.make_namespace()
    began = time.monotonic()
    trial.cluster.install()
    trial.url = trial.cluster.url()
    trial.buy()
    took = time.monotonic() - began
    if took >= FIRST_PURCHASE:
        message = f"it took {took:.0f} s, and may take {FIRST_PURCHASE:.0f}"
        raise LateError(message)
    return ", ".join([f"{took:.0f} s", *(f"{place} was removed before" for place in left)])


def commands(trial: Trial) -> str:
    """Run what the CronJobs run, now."""
    names = [item["metadata"]["name"] for item in trial.cluster.objects("cronjobs")]
    ours = [name for name in names if name.startswith(RELEASE)]
    check(len(ours) > len(SERVICES), f"only these CronJobs: {', '.join(names)}")
    for name in ours:
        trial.cluster.kubectl("create", "job", f"try-{name}", f"--from=cronjob/{name}")
    for name in ours:
        done = (
            "wait",
            "--for=condition=Complete",
            f"job/try-{name}",
            f"--timeout={trial.cluster.patience}",
        )
        trial.cluster.kubectl(*done)
        trial.cluster.kubectl("delete", "job", f"try-{name}")
    return f"{len(ours)} ran to their end"


def examples(trial: Trial) -> str:
    """Have the API server check what each example makes."""
    kinds = trial.cluster.kubectl("api-resources", "-o", "name", namespaced=False)
    told = []
    for example in sorted((ROOT / "charts" / "examples").glob("*.yaml")):
        if example.stem == "gateway" and "httproutes.gateway" not in kinds:
            told.append("the cluster has no Gateway API")
            continue
        manifests = trial.cluster.template("example", CHART, "-f", str(example))
        taken = trial.cluster.apply(manifests, "--dry-run=server").splitlines()
        told.append(f"{example.stem}: {len(taken)} objects are accepted")
    return "; ".join(told)


def restricted(trial: Trial) -> str:
    """Look for what the namespace's Pod Security Standard has refused."""
    refused = [
        event["message"]
        for event in trial.cluster.objects("events")
        if "violates PodSecurity" in event.get("message", "")
    ]
    check(not refused, "; ".join(refused[:3]))
    return "no pod was refused"


def reinstall(trial: Trial) -> str:
    """Uninstall, look at what is left, install again on the data that was kept."""
    cluster = trial.cluster
    with httpx.Client(base_url=trial.url, timeout=10) as client:
        body = {"username": "permanece", "password": "Testando1"}
        client.post("/users/create", json=body).raise_for_status()
    secrets = cluster.secrets()
    cluster.helm("uninstall")
    wait_until_gone(cluster)
    cluster.kubectl("get", "crd", DEFINITION, namespaced=False)
    cluster.install()
    check(cluster.secrets() == secrets, "secrets changed")
    trial.buy()
    answer = httpx.post(f"{trial.url}/users/login", auth=("permanece", "Testando1"), timeout=10)
    check(answer.status_code == httpx.codes.OK, f"the user is gone: {answer.status_code}")
    return "only what is kept was left; the user of before logs in"


def wait_until_gone(cluster: Cluster) -> None:
    """Wait until nothing of the release is left but what is kept; raises ``MissError``."""
    deadline = time.monotonic() + GONE_WITHIN
    while left := _left(cluster):
        check(time.monotonic() < deadline, f"left behind: {', '.join(left)}")
        time.sleep(1)


def _left(cluster: Cluster) -> list[str]:
    """Return what an uninstall has left that is not marked to be kept."""
    return [
        f"{item['kind']}/{item['metadata']['name']}"
        for item in cluster.objects(KINDS)
        if item["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == RELEASE
        and KEPT not in item["metadata"].get("annotations", {})
    ]
