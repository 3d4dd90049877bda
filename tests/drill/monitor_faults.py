"""Troubles of the monitors themselves: each is told as what it is, and never as the system's.

The table has their docstrings for what was done.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.drill.experiment import total_runs
from tests.drill.harness import NAME, OPERATOR, PAUSE, SOON, Scene
from tests.drill.pod_signals import signaller
from tests.e2e.context import check

LATER = 180.0  # seconds
NOWHERE = "nowhere"
LATE = "drill-late"
ENDED = 50  # runs that end while no operator is there
SLOWLY = 60  # seconds that one of them may take
LASTS = 30  # seconds of a run that is ended from outside
FILE = "lasting.arazzo.yaml"
STEP: dict[str, Any] = {
    "stepId": "wait",
    "operationId": "clients.health",
    "successCriteria": [{"condition": "$statusCode == 418"}],
    "onFailure": [{"name": "again", "type": "retry", "retryAfter": 1, "retryLimit": 1000}],
}
JOURNEY: dict[str, Any] = {
    "arazzo": "1.0.1",
    "info": {"title": "A journey that waits for what never comes", "version": "1.0.0"},
    "sourceDescriptions": [{"name": "clients", "url": "clients.yaml", "type": "openapi"}],
    "workflows": [{"workflowId": "lasting", "steps": [STEP]}],
}
LASTING: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "drill-lasting"},
    "data": {FILE: json.dumps(JOURNEY)},
}


def secret(scene: Scene) -> str:
    """Name a Secret that is not there."""
    return _missing(scene, "secret", credentialsSecretRef={"name": NOWHERE})


def config_map(scene: Scene) -> str:
    """Name a ConfigMap that is not there."""
    reference = {"configMapKeyRef": {"name": NOWHERE, "key": "mine.arazzo.yaml"}}
    return _missing(scene, "configmap", journeyFrom=reference, journey="mine")


def memory(scene: Scene) -> str:
    """Give a probe too little memory."""
    scene.make(resources={"limits": {"memory": "12Mi"}})
    scene.run_now()
    return _told_as_broken(scene, "OOMKilled")


def killed(scene: Scene) -> str:
    """Kill a probe's process from outside, as a node does that is in need."""
    with signaller(scene.cluster) as send:
        _make_lasting(scene)
        send("SIGKILL", scene.running_pod())
        return _told_as_broken(scene, "ExitCode137")


def hanging(scene: Scene) -> str:
    """Stop a probe's process, so that it outlives its own deadline and its pod's ends it."""
    with signaller(scene.cluster) as send:
        _make_lasting(scene)
        send("SIGSTOP", scene.running_pod())
        return _told_as_broken(scene, "DeadlineExceeded")


def deleted(scene: Scene) -> str:
    """Delete the pod of a probe that runs, by force."""
    _make_lasting(scene)
    pod = scene.running_pod()
    scene.cluster.kubectl("delete", "pod", pod, "--force", "--grace-period=0", "--wait=false")
    return _told_as_broken(scene, "")


def image(scene: Scene) -> str:
    """Name an image that is not there."""
    name = f"PROBE_IMAGE={scene.cluster.repository}/synthetic"
    deployment = f"deployment/{OPERATOR}"
    try:
        scene.cluster.kubectl("set", "env", deployment, f"{name}:{NOWHERE}")
        scene.cluster.wait_for_rollouts(deployment)
        scene.make()
        scene.run_now()
        told = scene.until("Ready", "ProbeCannotStart")
    finally:
        scene.cluster.kubectl("set", "env", deployment, f"{name}:{scene.cluster.tag}")
        scene.cluster.wait_for_rollouts(deployment)
    return told


def drained(scene: Scene) -> str:
    """Evict a probe that waits for its Secret: another one takes its place, and passes."""
    scene.make(credentialsSecretRef={"name": LATE})
    scene.run_now()
    first = scene.pod()
    scene.evict(first)
    given = ("--from-literal=client-id=any", "--from-literal=client-secret=any")
    try:
        scene.cluster.kubectl("create", "secret", "generic", LATE, *given)
        scene.until("Healthy", "Passing", LATER)
    finally:
        scene.cluster.kubectl("delete", "secret", LATE, "--ignore-not-found")
    last = scene.totals
    check((last["passed"], last["failed"], last["error"]) == (1, 0, 0), f"{last}")
    check(scene.pod() != first, f"{first} was not evicted")
    return "an evicted probe had a successor, and its run passed"


def foreign(scene: Scene) -> str:
    """Put somebody else's CronJob where the monitor's would be: it stays as it is."""
    scene.make()
    scene.until("Ready", "Scheduled")
    name = scene.cron_job
    with scene.without_operator():
        scene.cluster.kubectl("delete", "cronjob", name)
        theirs = ("--image=example.invalid/theirs", "--schedule=0 0 1 1 *")
        scene.cluster.kubectl("create", "cronjob", name, *theirs)
    told = scene.until("Ready", "NameTaken")
    found = scene.cluster.kubectl("get", "cronjob", name, "-o", "jsonpath={..image}")
    check(found == "example.invalid/theirs", f"it was changed: {found}")
    scene.cluster.kubectl("delete", "cronjob", name)
    scene.until("Ready", "Scheduled")
    return told


def operator_away(scene: Scene) -> str:
    """Let runs end while no operator is there: each is counted once when it is back."""
    scene.make(timeoutSeconds=SLOWLY)  # so many at once wait for each other
    scene.until("Ready", "Scheduled")
    before = total_runs(scene.lookout.monitor(NAME)["status"])
    with scene.without_operator():
        for number in range(ENDED):
            source = f"--from=cronjob/{scene.cron_job}"
            scene.cluster.kubectl("create", "job", f"{NAME}-{number}", source)
        scene.wait_for_jobs(ENDED)
    deadline = time.monotonic() + SOON
    while (counted := total_runs(scene.lookout.monitor(NAME)["status"]) - before) < ENDED:
        check(time.monotonic() < deadline, f"{counted} of {ENDED} runs are counted")
        time.sleep(PAUSE)
    check(counted == ENDED, f"{counted} of {ENDED} runs are counted")
    return f"{counted} of {ENDED} runs are counted"


TROUBLES: dict[str, Callable[[Scene], str]] = {
    "secret": secret,
    "configmap": config_map,
    "memory": memory,
    "killed": killed,
    "hanging": hanging,
    "deleted": deleted,
    "image": image,
    "drained": drained,
    "foreign": foreign,
    "away": operator_away,
}


def _missing(scene: Scene, kind: str, **spec: Any) -> str:
    scene.make(timeoutSeconds=1, **spec)
    scene.run_now()
    return _told_as_broken(scene, f'{kind} "{NOWHERE}" not found')


def _make_lasting(scene: Scene) -> None:
    """Start a run that lasts until its time is over, unless somebody ends it before."""
    scene.cluster.apply(json.dumps(LASTING))
    reference = {"configMapKeyRef": {"name": LASTING["metadata"]["name"], "key": FILE}}
    scene.make(journey="lasting", journeyFrom=reference, timeoutSeconds=LASTS, retries=0)
    scene.run_now()


def _told_as_broken(scene: Scene, detail: str) -> str:
    """Wait until a run is told as one of the monitor's own errors, for a reason; return it."""
    told = scene.until("Healthy", "MonitorBroken", LATER)
    check(detail in told, f"not {detail}, but {told}")
    last = scene.totals
    check((last["passed"], last["failed"], last["error"]) == (0, 0, 1), f"{last}")
    return told
