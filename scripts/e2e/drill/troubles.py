"""Troubles of the monitors themselves: each is told as what it is, and never as the system's."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cluster import RELEASE, Cluster
from trial import check

from drill.exercise import total_runs
from drill.lookout import GROUP, Lookout
from synthetic.operator.outcome import finished

NAME = "drill-trouble"
OPERATOR = f"{RELEASE}-synthetic"
NOWHERE = "nowhere"
LATE = "drill-late"
ENDED = 50  # runs that end while no operator is there
SOON, LATER = 60.0, 180.0  # seconds
ENDED_WITHIN = 600.0  # seconds for all of them
SLOWLY = 60  # seconds that one of them may take
PAUSE = 0.5


@dataclass(frozen=True)
class Scene:
    """Where the troubles are made."""

    cluster: Cluster
    lookout: Lookout

    def make(self, **spec: Any) -> None:  # noqa: ANN401 - any JSON
        """Make the monitor, which one bad run makes known; it asks nobody's help for a run."""
        whole = {
            "journey": "clients-health",
            "interval": "1h",
            "target": {"url": f"http://{RELEASE}-clients.{self.cluster.namespace}.svc:8000"},
            "timeoutSeconds": 5,
            "cleanupSeconds": 1,
            "thresholds": {"failures": 1, "outOf": 1},
            **spec,
        }
        document = {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "SyntheticMonitor",
            "metadata": {"name": NAME},
            "spec": whole,
        }
        self.cluster.apply(json.dumps(document))

    def run_now(self) -> None:
        """Ask for a run."""
        wish = f"{GROUP}/run-requested-at={time.time()}"
        self.cluster.kubectl("annotate", "synmon", NAME, wish, "--overwrite")

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Return the status, the reason and the message of a condition."""
        status = self.lookout.monitor(NAME).get("status") or {}
        for found in status.get("conditions", []):
            if found["type"] == kind:
                return found["status"], found["reason"], found["message"]
        return "", "", ""

    def until(self, kind: str, reason: str, patience: float = SOON) -> str:
        """Wait until a condition has a reason, and return its message; Healthy is never False."""
        deadline = time.monotonic() + patience
        while (seen := self.condition(kind))[1] != reason:
            check(self.condition("Healthy")[0] != "False", "the system is said to fail")
            check(time.monotonic() < deadline, f"{kind} is {seen}, and not {reason}")
            time.sleep(PAUSE)
        return seen[2]

    def pod(self) -> str:
        """Wait for a pod of the monitor, and return the name of the latest."""
        deadline = time.monotonic() + SOON
        chosen = ("-l", f"{GROUP}/monitor={NAME}", "--sort-by=.metadata.creationTimestamp")
        while not (found := self.cluster.kubectl("get", "pods", *chosen, "-o", "name").split()):
            check(time.monotonic() < deadline, "there is no pod")
            time.sleep(PAUSE)
        return found[-1].removeprefix("pod/")

    def evict(self, pod: str) -> None:
        """Have a pod evicted, as a node that is drained does."""
        path = f"/api/v1/namespaces/{self.cluster.namespace}/pods/{pod}/eviction"
        metadata = {"name": pod, "namespace": self.cluster.namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        self.lookout.api.post(path, json=body).raise_for_status()

    @property
    def cron_job(self) -> str:
        """The name of the monitor's CronJob."""
        status = self.lookout.monitor(NAME).get("status") or {}
        return str(status.get("cronJob", {}).get("name", ""))

    def wait_for_jobs(self, count: int) -> None:
        """Wait until so many Jobs of the monitor have ended, one way or the other."""
        deadline = time.monotonic() + ENDED_WITHIN
        while (ended := sum(map(self._is_ours_and_ended, self.cluster.objects("jobs")))) < count:
            check(time.monotonic() < deadline, f"{ended} of {count} Jobs have ended")
            time.sleep(1)

    @staticmethod
    def _is_ours_and_ended(job: dict[str, Any]) -> bool:
        is_ours = job["metadata"].get("labels", {}).get(f"{GROUP}/monitor") == NAME
        return is_ours and finished(job)

    @contextmanager
    def without_operator(self) -> Iterator[None]:
        """Stop the operator while the block runs."""
        deployment = f"deployment/{OPERATOR}"
        gone = ("--for=delete", "pod", "-l", "app.kubernetes.io/component=operator")
        self.cluster.kubectl("scale", deployment, "--replicas=0")
        self.cluster.kubectl("wait", *gone, f"--timeout={SOON:.0f}s")
        try:
            yield
        finally:
            self.cluster.kubectl("scale", deployment, "--replicas=1")
            self.cluster.wait_for_rollouts(deployment)


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
    told = scene.until("Healthy", "MonitorBroken")
    check("OOMKilled" in told, told)
    return told


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
    last = scene.lookout.monitor(NAME)["status"]["totals"]
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
    "image": image,
    "drained": drained,
    "foreign": foreign,
    "away": operator_away,
}


def _missing(scene: Scene, kind: str, **spec: Any) -> str:  # noqa: ANN401 - any JSON
    scene.make(timeoutSeconds=1, **spec)
    scene.run_now()
    told = scene.until("Healthy", "MonitorBroken", LATER)
    check(f'{kind} "{NOWHERE}" not found' in told, told)
    return told
