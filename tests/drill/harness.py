"""Harness for faults of a monitor: its resource, its runs and pods, and its operator."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from synthetic.operator.cronjob import MONITOR_LABEL, UID_LABEL
from synthetic.operator.run_result import is_finished
from tests.drill.observer import GROUP, Observer
from tests.support.cluster import RELEASE, Cluster
from tests.support.steps import check

NAME = "drill-trouble"
OPERATOR = f"{RELEASE}-synthetic"
TIMEOUT_SECONDS = 60.0
JOBS_TIMEOUT_SECONDS = 600.0  # for many concurrent Jobs
POLL_SECONDS = 0.5
RUNNING = "--for=jsonpath={.status.containerStatuses[0].state.running.startedAt}"


@dataclass(frozen=True)
class MonitorHarness:
    """A monitor in the namespace of a cluster."""

    cluster: Cluster
    observer: Observer

    def create(self, **spec: Any) -> None:
        """Create the monitor: one failed run makes it unhealthy, and runs start on request only."""
        defaults = {
            "journey": "clients-health",
            "schedule": "0 0 1 1 *",
            "target": {"url": f"http://{RELEASE}-clients.{self.cluster.namespace}.svc:8000"},
            "timeoutSeconds": 5,
            "cleanupSeconds": 1,
            "thresholds": {"failures": 1, "outOf": 1},
        }
        document = {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "SyntheticMonitor",
            "metadata": {"name": NAME},
            "spec": {**defaults, **spec},
        }
        self.cluster.apply(json.dumps(document))

    def run_now(self) -> None:
        """Request a run."""
        annotation = f"{GROUP}/run-requested-at={time.time()}"
        self.cluster.kubectl("annotate", "synmon", NAME, annotation, "--overwrite")

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Return the status, the reason and the message of a condition."""
        status = self.observer.monitor(NAME).get("status") or {}
        for found in status.get("conditions", []):
            if found["type"] == kind:
                return found["status"], found["reason"], found["message"]
        return "", "", ""

    @property
    def totals(self) -> dict[str, int]:
        """The number of runs by result."""
        found: dict[str, int] = self.observer.monitor(NAME)["status"]["totals"]
        return found

    def wait_for_condition(self, kind: str, reason: str, timeout: float = TIMEOUT_SECONDS) -> str:
        """Wait until a condition has a reason, and return its reason and message.

        Raises:
            StepFailed: the condition has another reason, or the monitor blames the system.

        """
        deadline = time.monotonic() + timeout
        while (current := self.condition(kind))[1] != reason:
            check(self.condition("Healthy")[0] != "False", "the monitor reports a failed system")
            check(time.monotonic() < deadline, f"{kind} is {current}, and not {reason}")
            time.sleep(POLL_SECONDS)
        return f"{reason}: {current[2]}"

    def pod(self) -> str:
        """Wait for a pod of the monitor, and return the name of the newest."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        uid = self.observer.monitor(NAME)["metadata"][
            "uid"
        ]  # pods of an earlier monitor may be terminating
        selector = ("-l", f"{UID_LABEL}={uid}", "--sort-by=.metadata.creationTimestamp")
        while not (found := self.cluster.kubectl("get", "pods", *selector, "-o", "name").split()):
            check(time.monotonic() < deadline, "there is no pod")
            time.sleep(POLL_SECONDS)
        return found[-1].removeprefix("pod/")

    def running_pod(self) -> str:
        """Wait until a probe runs, and return the name of its pod."""
        name = self.pod()
        self.cluster.kubectl("wait", f"pod/{name}", RUNNING, f"--timeout={TIMEOUT_SECONDS:.0f}s")
        return name

    def evict(self, pod: str) -> None:
        """Evict a pod, like the drain of a node."""
        path = f"/api/v1/namespaces/{self.cluster.namespace}/pods/{pod}/eviction"
        metadata = {"name": pod, "namespace": self.cluster.namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        self.observer.api.post(path, json=body).raise_for_status()

    @property
    def cron_job(self) -> str:
        """The name of the monitor's CronJob."""
        status = self.observer.monitor(NAME).get("status") or {}
        return str(status.get("cronJob", {}).get("name", ""))

    def wait_for_jobs(self, count: int) -> None:
        """Wait until a number of Jobs of the monitor have finished."""
        deadline = time.monotonic() + JOBS_TIMEOUT_SECONDS
        while (finished := sum(map(_is_finished_run, self.cluster.objects("jobs")))) < count:
            check(time.monotonic() < deadline, f"{finished} of {count} Jobs have finished")
            time.sleep(1)

    @contextmanager
    def without_operator(self) -> Iterator[None]:
        """Stop the operator during the block."""
        deployment = f"deployment/{OPERATOR}"
        deleted = ("--for=delete", "pod", "-l", "app.kubernetes.io/component=operator")
        self.cluster.kubectl("scale", deployment, "--replicas=0")
        self.cluster.kubectl("wait", *deleted, f"--timeout={TIMEOUT_SECONDS:.0f}s")
        try:
            yield
        finally:
            self.cluster.kubectl("scale", deployment, "--replicas=1")
            self.cluster.wait_for_rollouts(deployment)


def _is_finished_run(job: dict[str, Any]) -> bool:
    is_ours = job["metadata"].get("labels", {}).get(MONITOR_LABEL) == NAME
    return is_ours and is_finished(job)
