"""Where the monitors' own troubles are made: a monitor, its runs and pods, and its operator."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from synthetic.operator.cronjob import MONITOR_LABEL, UID_LABEL
from synthetic.operator.run_result import is_finished
from tests.drill.observer import GROUP, Lookout
from tests.e2e.context import check
from tests.support.cluster import RELEASE, Cluster

NAME = "drill-trouble"
OPERATOR = f"{RELEASE}-synthetic"
SOON = 60.0  # seconds
ENDED_WITHIN = 600.0  # seconds for many Jobs at once
PAUSE = 0.5
RUNS = "--for=jsonpath={.status.containerStatuses[0].state.running.startedAt}"


@dataclass(frozen=True)
class Scene:
    """Where the troubles are made."""

    cluster: Cluster
    lookout: Lookout

    def make(self, **spec: Any) -> None:
        """Make the monitor, which one bad run makes known; none comes but for those asked for."""
        whole = {
            "journey": "clients-health",
            "schedule": "0 0 1 1 *",
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

    @property
    def totals(self) -> dict[str, int]:
        """How many runs there were of each result."""
        found: dict[str, int] = self.lookout.monitor(NAME)["status"]["totals"]
        return found

    def until(self, kind: str, reason: str, patience: float = SOON) -> str:
        """Wait until a condition has a reason, and return both; Healthy is never False.

        Raises:
            MissError: the condition has another reason, or the system is said to fail.

        """
        deadline = time.monotonic() + patience
        while (seen := self.condition(kind))[1] != reason:
            check(self.condition("Healthy")[0] != "False", "the system is said to fail")
            check(time.monotonic() < deadline, f"{kind} is {seen}, and not {reason}")
            time.sleep(PAUSE)
        return f"{reason}: {seen[2]}"

    def pod(self) -> str:
        """Wait for a pod of the monitor, and return the name of the latest."""
        deadline = time.monotonic() + SOON
        uid = self.lookout.monitor(NAME)["metadata"]["uid"]  # pods of an earlier one may still go
        chosen = ("-l", f"{UID_LABEL}={uid}", "--sort-by=.metadata.creationTimestamp")
        while not (found := self.cluster.kubectl("get", "pods", *chosen, "-o", "name").split()):
            check(time.monotonic() < deadline, "there is no pod")
            time.sleep(PAUSE)
        return found[-1].removeprefix("pod/")

    def running_pod(self) -> str:
        """Wait until a probe of the monitor runs, and return the name of its pod."""
        name = self.pod()
        self.cluster.kubectl("wait", f"pod/{name}", RUNS, f"--timeout={SOON:.0f}s")
        return name

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
        is_ours = job["metadata"].get("labels", {}).get(MONITOR_LABEL) == NAME
        return is_ours and is_finished(job)

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
