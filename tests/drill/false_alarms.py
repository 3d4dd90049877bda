"""False alarms: many runs against a healthy system under load, during rolling restarts."""

import time

from devstack.service_catalog import SERVICES
from tests.drill.experiment import total_runs
from tests.drill.observer import GROUP, Observer
from tests.e2e.background_load import BackgroundLoad
from tests.support.cluster import RELEASE, Cluster
from tests.support.steps import check

POLL_SECONDS = 1.0
TIMEOUT_SECONDS = 1800.0  # for all runs: eight concurrent probes share the nodes with the load


class FalseAlarms:
    """Counts the runs of the release's monitors, and their false alarms."""

    def __init__(self, cluster: Cluster, observer: Observer) -> None:
        """Read the monitors; raises ``StepFailed`` if there is none."""
        self._cluster, self._observer = cluster, observer
        names = [item["metadata"]["name"] for item in cluster.objects("synmon")]
        check(names, "there is no monitor")
        self._before = {name: observer.monitor(name)["status"] for name in names}
        self._last: dict[str, str] = {}
        self.runs = self.failed = self.retried = 0
        self.calls = self.rejected = 0  # of the load
        self.unhealthy = 0  # samples of an unhealthy monitor
        self.flaps = 0  # changes of Healthy from True

    def sample(self) -> None:
        """Update the counts from the monitors."""
        self.runs = self.failed = self.retried = 0
        for name, before in self._before.items():
            status = self._observer.monitor(name)["status"]
            self.runs += total_runs(status) - total_runs(before)
            self.failed += status["totals"]["failed"] - before["totals"]["failed"]
            late = "passedAfterRetry"
            self.retried += status["totals"][late] - before["totals"][late]
            health = next(c["status"] for c in status["conditions"] if c["type"] == "Healthy")
            self.unhealthy += health == "False"
            self.flaps += self._last.get(name) == "True" and health != "True"
            self._last[name] = health

    def run(self, url: str, count: int) -> None:
        """Request runs up to a total count, and restart each service meanwhile."""
        deadline, left = time.monotonic() + TIMEOUT_SECONDS, list(SERVICES)
        with BackgroundLoad(url) as load:
            while self.runs < count:
                check(time.monotonic() < deadline, f"{self} after {TIMEOUT_SECONDS:.0f} s")
                annotation = f"{GROUP}/run-requested-at={time.time()}"
                self._cluster.kubectl("annotate", "synmon", "--all", annotation, "--overwrite")
                time.sleep(POLL_SECONDS)
                if left and self.runs >= count * (1 - len(left) / (len(SERVICES) + 1)):
                    self._cluster.kubectl(
                        "rollout", "restart", f"deployment/{RELEASE}-{left.pop(0)}"
                    )
                self.sample()
        check(not left, f"not restarted: {', '.join(left)}")
        check(load.total, "there was no load")
        self.calls, self.rejected = load.total, load.failed

    def __str__(self) -> str:
        """Return the counts."""
        return (
            f"{self.runs} runs, {self.failed} failed, {self.retried} passed after a retry; "
            f"{self.unhealthy} times unhealthy, {self.flaps} flaps; "
            f"{self.rejected} of {self.calls} calls of the load failed"
        )
