"""The monitors of the release: they tell that it is well, and when a part of it is not."""

import json
import time
from typing import Any

from cluster import RELEASE
from trial import SERVICES, Trial, check

GROUP = "monitoring.cadastro.dev"
DEFINITION = f"syntheticmonitors.{GROUP}"
JOURNEYS = 8  # a set for each service
TRIED = "tried"
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


def told(trial: Trial) -> str:
    """Stop each service, and look what its monitor says; then a name that leads nowhere."""
    cluster, seen = trial.cluster, []
    for service in SERVICES:
        name = f"{TRIED}-{service}"
        _make(trial, name, f"{service}-health", trial.url)
        _run_now(trial, name)
        _wait(trial, "--for=condition=Healthy", name)
        deployment = f"deployment/{RELEASE}-{service}"
        replicas = cluster.kubectl("get", deployment, "-o", "jsonpath={.spec.replicas}")
        cluster.kubectl("scale", deployment, "--replicas=0")
        _wait_until_gone(trial, service)
        seen.append(f"{service} down: {_unhealthy(trial, name)}")
        cluster.kubectl("scale", deployment, f"--replicas={replicas}")
        cluster.wait_for_rollouts(deployment)
        _run_now(trial, name)
        _wait(trial, "--for=condition=Healthy", name)
        cluster.kubectl("delete", "synmon", name)
    _make(trial, TRIED, "clients-health", "http://nowhere.invalid")
    reason = _unhealthy(trial, TRIED)
    check(reason == "dns", f"a name that leads nowhere is told as {reason}")
    cluster.kubectl("delete", "synmon", TRIED)
    return f"{', '.join(seen)}, no such host: {reason}; all healthy again"


def forget_definition(trial: Trial) -> None:
    """Delete the definition, which outlives a release, when it is ours and nobody else uses it."""
    cluster = trial.cluster
    found = cluster.kubectl("get", "crd", "-o", "json", namespaced=False)
    for item in json.loads(found)["items"]:
        owner = item["metadata"].get("annotations", {}).get("meta.helm.sh/release-namespace")
        if item["metadata"]["name"] == DEFINITION and owner == cluster.namespace:
            used = cluster.kubectl("get", "synmon", "-A", "-o", "json", namespaced=False)
            places = {each["metadata"]["namespace"] for each in json.loads(used)["items"]}
            if places <= {cluster.namespace}:
                cluster.kubectl("delete", "crd", DEFINITION, "--wait=false", namespaced=False)


def _make(trial: Trial, name: str, journey: str, url: str) -> None:
    """Make a monitor that runs by itself once an hour, and that one failure makes unhealthy."""
    spec: dict[str, Any] = {
        "journey": journey,
        "interval": "1h",
        "target": {"url": url},
        "retries": 0,
        "thresholds": {"failures": 1, "outOf": 1},
    }
    document = {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "SyntheticMonitor",
        "metadata": {"name": name},
        "spec": spec,
    }
    trial.cluster.apply(json.dumps(document))
    _wait(trial, "--for=condition=Ready", name)


def _run_now(trial: Trial, *which: str) -> None:
    wanted = f"{GROUP}/run-requested-at={time.time()}"
    trial.cluster.kubectl("annotate", "synmon", *which, wanted, "--overwrite")


def _unhealthy(trial: Trial, name: str) -> str:
    """Run a monitor now, wait until it is unhealthy, and return its reason."""
    _run_now(trial, name)
    _wait(trial, "--for=condition=Healthy=False", name)
    reason: str = trial.cluster.kubectl(
        "get", "synmon", name, "-o", "jsonpath={.status.lastRun.reason}"
    )
    return reason


def _wait(trial: Trial, what: str, *which: str) -> None:
    trial.cluster.kubectl("wait", what, "synmon", *which, f"--timeout={trial.cluster.patience}")


def _wait_until_gone(trial: Trial, service: str) -> None:
    """Wait for the end of a service's pods: they answer while they drain."""
    deadline = time.monotonic() + 60
    while pods := trial.cluster.pods(service):
        check(time.monotonic() < deadline, f"still there: {', '.join(pods)}")
        time.sleep(PAUSE)


def _cronjob_of(trial: Trial, monitor: str) -> str:
    names = [item["metadata"]["name"] for item in trial.cluster.objects("cronjobs")]
    return str(next(name for name in names if name.startswith(monitor)))


def _wait_until_there(trial: Trial, cronjob: str) -> None:
    deadline = time.monotonic() + 60
    while not any(i["metadata"]["name"] == cronjob for i in trial.cluster.objects("cronjobs")):
        check(time.monotonic() < deadline, f"the CronJob {cronjob} was not put back")
        time.sleep(PAUSE)
