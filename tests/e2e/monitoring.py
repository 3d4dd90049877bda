"""The monitors of the release: they tell that it is well, and when a part of it is not."""

import json
import time

from tests.drill import runner
from tests.e2e.context import Trial, check
from tests.support.cluster import RELEASE, Cluster, run

GROUP = "monitoring.cadastro.dev"
DEFINITION = f"syntheticmonitors.{GROUP}"
CHART, OTHER = "charts/synthetic", "second"
JOURNEYS = 8  # a set for each service
PAUSE = 1.0


def watched(trial: Trial) -> str:
    """Run every monitor now: each must pass, and a CronJob that is deleted must come back."""
    cluster = trial.cluster
    cluster.values = [*cluster.values, f"synthetic.target.url={trial.url}"]  # from now on
    cluster.install("upgrade")
    cluster.wait_for_rollouts(f"deployment/{RELEASE}-synthetic")
    _wait(trial, "--for=condition=Ready", "--all")
    _run_now(trial, "--all")
    _wait(trial, "--for=condition=Healthy", "--all")
    monitors = cluster.objects("synmon")
    check(len(monitors) == JOURNEYS, f"there are {len(monitors)} monitors")
    name = _cronjob_of(trial, "clients-health")
    cluster.kubectl("delete", "cronjob", name)
    _wait_until_there(trial, name)
    return f"{len(monitors)} are healthy; a deleted CronJob came back"


def drilled(trial: Trial) -> str:
    """Break services, each in two ways: a monitor tells of each fault, and when it is over."""
    rows = list(runner.drill(trial.cluster, trial.url, runner.diagonal()))
    missed = [f"{row.fault} of {row.service}: {row.told}" for row in rows if row.misses]
    check(not missed, "; ".join(missed))
    slowest = max(row.seconds for row in rows)
    return f"{len(rows)} faults told, alerted and over; the slowest after {slowest:.0f} s"


def shared(trial: Trial) -> str:
    """Bring the operator a second time, elsewhere: it leaves the definition to its release."""
    before, monitors = _bringer(trial.cluster), len(trial.cluster.objects("synmon"))
    with trial.cluster.elsewhere(OTHER) as second:
        values = {"target.url": trial.url, "credentials.existingSecret": "none"}
        options = [f"--set={name}={value}" for name, value in values.items()]
        where = ("-n", second.namespace)
        said = run("helm", "install", OTHER, CHART, *where, *second.images(), *options, "--wait")
        told = "managed by the release {} in the namespace {}".format(*before)
        check(told in said, f"the NOTES do not say {told!r}: {said}")
        second.kubectl("wait", "--for=condition=Ready", "synmon/auth-health", "--timeout=60s")
        run("helm", "uninstall", OTHER, *where, "--wait")
        check(_bringer(second) == before, "the definition is another one's")
    check(len(trial.cluster.objects("synmon")) == monitors, "monitors are gone")
    return "a second operator works with it, says whose it is, and leaves it when it goes"


def _bringer(cluster: Cluster) -> tuple[str, str]:
    """Return which release has brought the definition, by its name and its namespace."""
    found = cluster.kubectl("get", "crd", DEFINITION, "-o", "json", namespaced=False)
    marks = json.loads(found)["metadata"]["annotations"]
    return marks["meta.helm.sh/release-name"], marks["meta.helm.sh/release-namespace"]


def forget_definition(cluster: Cluster) -> None:
    """Delete the definition, which outlives a release, when it is ours and nobody else uses it."""
    found = cluster.kubectl("get", "crd", "-o", "json", namespaced=False)
    for item in json.loads(found)["items"]:
        owner = item["metadata"].get("annotations", {}).get("meta.helm.sh/release-namespace")
        if item["metadata"]["name"] == DEFINITION and owner == cluster.namespace:
            used = cluster.kubectl("get", "synmon", "-A", "-o", "json", namespaced=False)
            places = {each["metadata"]["namespace"] for each in json.loads(used)["items"]}
            if places <= {cluster.namespace}:
                cluster.kubectl("delete", "crd", DEFINITION, "--wait=false", namespaced=False)


def _run_now(trial: Trial, *which: str) -> None:
    wanted = f"{GROUP}/run-requested-at={time.time()}"
    trial.cluster.kubectl("annotate", "synmon", *which, wanted, "--overwrite")


def _wait(trial: Trial, what: str, *which: str) -> None:
    trial.cluster.kubectl("wait", what, "synmon", *which, f"--timeout={trial.cluster.patience}")


def _cronjob_of(trial: Trial, monitor: str) -> str:
    names = [item["metadata"]["name"] for item in trial.cluster.objects("cronjobs")]
    return str(next(name for name in names if name.startswith(monitor)))


def _wait_until_there(trial: Trial, cronjob: str) -> None:
    deadline = time.monotonic() + 60
    while not any(i["metadata"]["name"] == cronjob for i in trial.cluster.objects("cronjobs")):
        check(time.monotonic() < deadline, f"the CronJob {cronjob} was not put back")
        time.sleep(PAUSE)
