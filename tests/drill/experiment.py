"""One exercise: a fault of a service is made and mended, and its monitor is watched meanwhile."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from synthetic.operator.cronjob import MONITOR_LABEL
from synthetic.operator.history import RunRecord
from synthetic.operator.run_result import FAILED, PASSED
from tests.drill import manifests
from tests.drill.faults import Fault, Site
from tests.drill.observer import GROUP, Lookout
from tests.e2e.context import MissError, check
from tests.support.cluster import RELEASE

NEEDED = 2  # failures that make a monitor unhealthy
ALERT = "SyntheticMonitorFailing"
ALERTS_WITHIN = 15.0  # seconds after the monitor: a scrape and an evaluation, and some patience
RUN_WITHIN = 60.0  # seconds from the wish to the count
FOUND_WITHIN = 240.0  # seconds: as many runs as are needed, one that began before, one that is late
RECOVERS_WITHIN = 180.0  # seconds
INTERVALS = {"request": "1h", "schedule": "1m"}  # none comes by itself while runs are requested
PAUSE = 0.25
TOKENS = {
    "auth": "login",
    "clients": "clients-crud",
    "products": "products-crud",
    "inventory": "inventory-purchase",
}


@dataclass
class Row:
    """What was seen."""

    fault: str
    service: str
    started_by: str  # request or schedule
    runs: int = 0  # that began in the fault and came to a verdict, until it was unhealthy
    unjudged: int = 0  # that began in the fault and came to none
    seconds: float = 0.0
    reason: str = ""
    alert_seconds: float = 0.0  # from the fault
    recovered_seconds: float = 0.0  # from its mending to a healthy monitor and no alert
    misses: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        """What went wrong, or that nothing did."""
        seen = "; ".join(self.misses) or "ok"
        return f"{seen}, {self.unjudged} without a verdict" if self.unjudged else seen


class Exercise:
    """A fault, a service, and what starts the runs."""

    def __init__(
        self, site: Site, lookout: Lookout, fault: Fault, service: str, started_by: str
    ) -> None:
        """Prepare; nothing is broken yet."""
        self._site, self._lookout = site, lookout
        self._fault, self._service = fault, service
        self._scheduled = started_by == "schedule"
        self._name = f"{manifests.NAME}-{fault.name}-{service}"
        self._row = Row(fault.name, service, started_by)

    def run(self) -> Row:
        """Do it, and return what was seen; a miss is in the row."""
        try:
            self._make_monitor()
            self._until("True", RUN_WITHIN, by_request=True)
            began = time.monotonic()
            with self._fault.make(self._site, self._service):
                in_force, early = time.monotonic(), set(self._starts())
                self._until("False", FOUND_WITHIN, by_request=not self._scheduled)
                self._see_failure(early, began if self._scheduled else in_force)
            self._see_recovery()
        except MissError as error:
            self._row.misses.append(str(error))
        finally:
            self._site.cluster.kubectl("delete", "synmon", self._name, "--ignore-not-found")
        return self._row

    def _see_failure(self, early: set[str], began: float) -> None:
        row, status = self._row, self._status()
        row.seconds = time.monotonic() - began
        runs = self._runs_of_others(early, status["runs"])
        row.runs = sum(run.result in {PASSED, FAILED} for run in runs)
        row.unjudged = len(runs) - row.runs
        row.reason = status["lastRun"]["reason"]
        if row.runs > NEEDED:
            row.misses.append(f"{row.runs} runs: {', '.join(run.line for run in runs)}")
        if row.reason != self._fault.reason:
            row.misses.append(f"the reason is not {self._fault.reason}")
        self._wait(lambda: ALERT in self._lookout.alerts(self._name), ALERTS_WITHIN, "no alert")
        row.alert_seconds = time.monotonic() - began

    def _see_recovery(self) -> None:
        began = time.monotonic()
        self._until("True", RECOVERS_WITHIN, by_request=not self._scheduled)
        self._wait(
            lambda: ALERT not in self._lookout.alerts(self._name), ALERTS_WITHIN, "the alert stays"
        )
        self._row.recovered_seconds = time.monotonic() - began

    def _until(self, wanted: str, patience: float, *, by_request: bool) -> None:
        """Have runs, or let them come, until the condition Healthy is as it is wanted."""
        deadline = time.monotonic() + patience
        while (seen := self._healthy()) != wanted:
            check(time.monotonic() < deadline, f"after {patience:.0f} s Healthy is {seen}")
            if by_request:
                self._run_once()
            else:
                time.sleep(PAUSE)

    def _run_once(self) -> None:
        before = total_runs(self._status())
        wish = f"{GROUP}/run-requested-at={time.time()}"
        self._site.cluster.kubectl("annotate", "synmon", self._name, wish, "--overwrite")
        self._wait(lambda: total_runs(self._status()) > before, RUN_WITHIN, "a run does not end")

    def _starts(self) -> dict[str, str]:
        """Return when each Job of the monitor has started, by their uids."""
        return {
            job["metadata"]["uid"]: job.get("status", {}).get("startTime", "")
            for job in self._site.cluster.objects("jobs")
            if job["metadata"].get("labels", {}).get(MONITOR_LABEL) == self._name
        }

    def _runs_of_others(self, early: set[str], lines: list[str]) -> list[RunRecord]:
        """Return the runs of Jobs that are not ``early`` ones: those may have seen no fault."""
        starts = {start for uid, start in self._starts().items() if uid not in early}
        return [run for run in map(RunRecord.read, lines) if run.at in starts]

    def _make_monitor(self) -> None:
        document = {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "SyntheticMonitor",
            "metadata": {"name": self._name},
            "spec": self._spec(),
        }
        self._site.cluster.apply(json.dumps(document))

    def _spec(self) -> dict[str, Any]:
        target: dict[str, Any] = {"url": manifests.entry_url(self._site.cluster, self._site.url)}
        if self._fault.is_of_tls:
            url = f"https://{manifests.host(self._site.cluster, manifests.EDGE)}"
            target = {"url": url, "caFrom": {"configMapKeyRef": manifests.AUTHORITY}}
        spec: dict[str, Any] = {
            "journey": f"{self._service}-health",
            "interval": INTERVALS[self._row.started_by],
            "target": target,
            "timeoutSeconds": 5,
            "cleanupSeconds": 5,
            "retries": 0,
            "thresholds": {"failures": NEEDED, "outOf": NEEDED},
        }
        if self._fault.needs_token:
            secret = {"name": f"{RELEASE}-synthetic-credentials"}
            spec |= {"journey": TOKENS[self._service], "credentialsSecretRef": secret}
        return spec

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = self._lookout.monitor(self._name).get("status") or {}
        return status

    def _healthy(self) -> str:
        conditions = self._status().get("conditions", [])
        return next((c["status"] for c in conditions if c["type"] == "Healthy"), "")

    @staticmethod
    def _wait(until: Callable[[], bool], patience: float, otherwise: str) -> None:
        deadline = time.monotonic() + patience
        while not until():
            check(time.monotonic() < deadline, otherwise)
            time.sleep(PAUSE)


def total_runs(status: dict[str, Any]) -> int:
    """Return how many runs have come to a verdict, or to none."""
    totals = status.get("totals", {})
    return sum(totals.get(result, 0) for result in ("passed", "failed", "error", "disrupted"))
