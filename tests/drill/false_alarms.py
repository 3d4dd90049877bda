"""False alarms: many runs against a healthy system under load, in which everything is rolled."""

import time

from localstack.catalogue import SERVICES
from tests.drill.experiment import total_runs
from tests.drill.observer import GROUP, Lookout
from tests.e2e.background_load import Load
from tests.e2e.context import check
from tests.support.cluster import RELEASE, Cluster

PAUSE = 1.0  # seconds
PATIENCE = 1800.0  # seconds for all runs: eight probes at once share the nodes with the load


class Calm:
    """The release's monitors, and what their runs have come to."""

    def __init__(self, cluster: Cluster, lookout: Lookout) -> None:
        """Look at what is there; raises ``MissError`` when there is no monitor."""
        self._cluster, self._lookout = cluster, lookout
        names = [item["metadata"]["name"] for item in cluster.objects("synmon")]
        check(names, "there is no monitor")
        self._before = {name: lookout.monitor(name)["status"] for name in names}
        self._last: dict[str, str] = {}
        self.runs = self.failed = self.retried = 0
        self.calls = self.refused = 0  # of the load
        self.unhealthy = 0  # looks at which a monitor was unhealthy
        self.flaps = 0  # times that Healthy was True and is not any more

    def look(self) -> None:
        """Count what there is now."""
        self.runs = self.failed = self.retried = 0
        for name, before in self._before.items():
            status = self._lookout.monitor(name)["status"]
            self.runs += total_runs(status) - total_runs(before)
            self.failed += status["totals"]["failed"] - before["totals"]["failed"]
            late = "passedAfterRetry"
            self.retried += status["totals"][late] - before["totals"][late]
            health = next(c["status"] for c in status["conditions"] if c["type"] == "Healthy")
            self.unhealthy += health == "False"
            self.flaps += self._last.get(name) == "True" and health != "True"
            self._last[name] = health

    def watch(self, url: str, wanted: int) -> None:
        """Have as many runs together as are wanted, while pods are rolled under load."""
        deadline, left = time.monotonic() + PATIENCE, list(SERVICES)
        with Load(url) as load:
            while self.runs < wanted:
                check(time.monotonic() < deadline, f"{self} after {PATIENCE:.0f} s")
                wish = f"{GROUP}/run-requested-at={time.time()}"
                self._cluster.kubectl("annotate", "synmon", "--all", wish, "--overwrite")
                time.sleep(PAUSE)
                if left and self.runs >= wanted * (1 - len(left) / (len(SERVICES) + 1)):
                    self._cluster.kubectl(
                        "rollout", "restart", f"deployment/{RELEASE}-{left.pop(0)}"
                    )
                self.look()
        check(not left, f"not rolled: {', '.join(left)}")
        check(load.total, "there was no load")
        self.calls, self.refused = load.total, load.failed

    def __str__(self) -> str:
        """Return what was seen, for people."""
        return (
            f"{self.runs} runs, {self.failed} failed, {self.retried} passed at the second try; "
            f"{self.unhealthy} times unhealthy, {self.flaps} flaps; "
            f"{self.refused} of {self.calls} calls of the load failed"
        )
