"""False alarms: many runs against a healthy system under load, in which everything is rolled."""

import time
from dataclasses import dataclass

from cluster import RELEASE, Cluster
from traffic import Load
from trial import SERVICES, check

from drill.exercise import total_runs
from drill.lookout import GROUP, Lookout

PAUSE = 1.0  # seconds
PATIENCE = 540.0  # seconds for all runs


@dataclass(frozen=True)
class Seen:
    """What the runs came to."""

    runs: int
    failed: int
    retried: int
    unhealthy: int  # looks at which a monitor was unhealthy
    flaps: int  # changes of a condition Healthy that was True

    def __str__(self) -> str:
        """Return it for people."""
        return (
            f"{self.runs} runs, {self.failed} failed, {self.retried} passed at the second try; "
            f"{self.unhealthy} times unhealthy, {self.flaps} flaps"
        )


def watch(cluster: Cluster, lookout: Lookout, url: str, wanted: int) -> Seen:
    """Have the release's monitors run, as often together as is wanted, while pods are rolled."""
    names = [item["metadata"]["name"] for item in cluster.objects("synmon")]
    check(names, "there is no monitor")
    deadline = time.monotonic() + PATIENCE
    before = {name: total_runs(lookout.monitor(name)["status"]) for name in names}
    last: dict[str, str] = {}
    unhealthy = flaps = runs = rolled = 0
    with Load(url) as load:
        while runs < wanted:
            check(time.monotonic() < deadline, f"{runs} of {wanted} runs after {PATIENCE:.0f} s")
            cluster.kubectl("annotate", "synmon", "--all", _wish(), "--overwrite")
            time.sleep(PAUSE)
            if runs >= (rolled + 1) * wanted // (len(SERVICES) + 1):
                deployment = f"deployment/{RELEASE}-{SERVICES[rolled]}"
                cluster.kubectl("rollout", "restart", deployment)
                rolled += 1
            runs = 0
            for name in names:
                status = lookout.monitor(name)["status"]
                runs += total_runs(status) - before[name]
                health = next(c["status"] for c in status["conditions"] if c["type"] == "Healthy")
                unhealthy += health == "False"
                flaps += last.get(name) == "True" and health != "True"
                last[name] = health
    statuses = [lookout.monitor(name)["status"] for name in names]
    check(rolled == len(SERVICES), f"only {rolled} services were rolled")
    check(load.total, "there was no load")
    return Seen(
        runs,
        sum(status["totals"]["failed"] for status in statuses),
        sum(status["totals"]["passedAfterRetry"] for status in statuses),
        unhealthy,
        flaps,
    )


def _wish() -> str:
    return f"{GROUP}/run-requested-at={time.time()}"
