"""One experiment: inject and remove a fault, and check the reports of its monitor."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from synthetic.operator.cronjob import MONITOR_LABEL
from synthetic.operator.run_record import RunRecord
from synthetic.operator.run_result import FAILED, PASSED
from synthetic.operator.secret_binding import ANY_HOST, HOSTS_ANNOTATION
from tests.drill import manifests, receiver
from tests.drill.faults import Fault, Target
from tests.drill.observer import GROUP, Observer
from tests.support.cluster import RELEASE
from tests.support.steps import StepFailed, check, wait_until

FAILURE_THRESHOLD = 2  # failures that make a monitor unhealthy
ALERT = "SyntheticMonitorFailing"
CREDENTIALS = f"{RELEASE}-synthetic-credentials"
NOTIFICATION_LIMIT_SECONDS = 15.0  # after the condition
ALERT_LIMIT_SECONDS = 15.0  # after the condition: a scrape, an evaluation and a margin
RUN_TIMEOUT_SECONDS = 60.0  # from the request of a run to its count
DETECTION_LIMIT_SECONDS = 240.0  # the threshold of failures, one earlier run and one late run
RECOVERY_LIMIT_SECONDS = 180.0
INTERVALS = {"request": "1h", "schedule": "1m"}  # an hour: no scheduled run interferes
POLL_SECONDS = 0.25
TOKENS = {
    "auth": "login",
    "clients": "clients-crud",
    "products": "products-crud",
    "inventory": "inventory-purchase",
}


@dataclass
class Row:
    """The results of an experiment."""

    fault: str
    service: str
    trigger: str  # request or schedule
    runs: int = 0  # started during the fault, with a result, until the monitor was unhealthy
    inconclusive: int = 0  # started during the fault, without a result
    seconds: float = 0.0  # from the fault to an unhealthy monitor
    reason: str = ""
    alert_seconds: float = 0.0  # from the fault to the alert and its notification
    recovered_seconds: float = 0.0  # from the removal to a healthy monitor, without an alert, told
    misses: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """The misses, or ``ok``."""
        text = "; ".join(self.misses) or "ok"
        return f"{text}, {self.inconclusive} without a verdict" if self.inconclusive else text


class Experiment:
    """A fault of a service, and the trigger of the monitor's runs."""

    def __init__(
        self, target: Target, observer: Observer, fault: Fault, service: str, trigger: str
    ) -> None:
        """Prepare the experiment; no fault is injected."""
        self._target, self._observer = target, observer
        self._fault, self._service = fault, service
        self._scheduled = trigger == "schedule"
        self._name = f"{manifests.NAME}-{fault.name}-{service}"
        self._row = Row(fault.name, service, trigger)

    def run(self) -> Row:
        """Run the experiment, and return its results; the row lists the misses."""
        try:
            self._create_monitor()
            self._wait_for_health("True", RUN_TIMEOUT_SECONDS, by_request=True)
            injected = time.monotonic()
            with self._fault.inject(self._target, self._service):
                active, earlier = time.monotonic(), set(self._start_times())
                self._wait_for_health(
                    "False", DETECTION_LIMIT_SECONDS, by_request=not self._scheduled
                )
                self._check_failure(earlier, injected if self._scheduled else active)
            self._check_recovery()
        except StepFailed as error:
            self._row.misses.append(str(error))
        finally:
            self._target.cluster.kubectl("delete", "synmon", self._name, "--ignore-not-found")
        return self._row

    def _check_failure(self, earlier: set[str], started: float) -> None:
        row, status = self._row, self._status()
        row.seconds = time.monotonic() - started
        runs = self._runs_except(earlier, status["runs"])
        row.runs = sum(run.result in {PASSED, FAILED} for run in runs)
        row.inconclusive = len(runs) - row.runs
        row.reason = status["lastRun"]["reason"]
        if row.runs > FAILURE_THRESHOLD:
            row.misses.append(f"{row.runs} runs: {', '.join(run.line for run in runs)}")
        if row.reason != self._fault.reason:
            lines = ", ".join(run.line for run in runs)
            row.misses.append(f"the reason is {row.reason}, not {self._fault.reason}: {lines}")
        self._wait_for_alert("no alert", fires=True)
        self._wait_for_notification("unhealthy", row.reason)
        row.alert_seconds = time.monotonic() - started

    def _check_recovery(self) -> None:
        started = time.monotonic()
        self._wait_for_health("True", RECOVERY_LIMIT_SECONDS, by_request=not self._scheduled)
        self._wait_for_alert("the alert stays", fires=False)
        self._wait_for_notification("healthy", "")
        self._row.recovered_seconds = time.monotonic() - started

    def _wait_for_alert(self, message: str, *, fires: bool) -> None:
        wait_until(
            lambda: (ALERT in self._observer.alerts(self._name)) is fires,
            ALERT_LIMIT_SECONDS,
            message,
            POLL_SECONDS,
        )

    def _wait_for_notification(self, event: str, text: str) -> None:
        """Wait for the notification of an event as the last one, with a text in its message."""

        def is_received() -> bool:
            *_, last = [{"event": "", "message": ""}, *self._observer.notifications(self._name)]
            return last["event"] == event and text in last["message"]

        wait_until(
            is_received, NOTIFICATION_LIMIT_SECONDS, f"no notification: {event}", POLL_SECONDS
        )

    def _wait_for_health(self, expected: str, timeout: float, *, by_request: bool) -> None:
        """Request runs, or wait for scheduled ones, until Healthy has the expected status."""
        deadline = time.monotonic() + timeout
        while (status := self._condition("Healthy")) != expected:
            check(time.monotonic() < deadline, f"after {timeout:.0f} s Healthy is {status}")
            if by_request:
                self._run_once()
            else:
                time.sleep(POLL_SECONDS)

    def _run_once(self) -> None:
        before = total_runs(self._status())
        annotation = f"{GROUP}/run-requested-at={time.time()}"
        self._target.cluster.kubectl("annotate", "synmon", self._name, annotation, "--overwrite")
        wait_until(
            lambda: total_runs(self._status()) > before,
            RUN_TIMEOUT_SECONDS,
            "a run does not end",
            POLL_SECONDS,
        )

    def _start_times(self) -> dict[str, str]:
        """Return the start time of each Job of the monitor, by uid."""
        return {
            job["metadata"]["uid"]: job.get("status", {}).get("startTime", "")
            for job in self._target.cluster.objects("jobs")
            if job["metadata"].get("labels", {}).get(MONITOR_LABEL) == self._name
        }

    def _runs_except(self, earlier: set[str], lines: list[str]) -> list[RunRecord]:
        """Return the runs of all but the ``earlier`` Jobs, which may have missed the fault."""
        starts = {start for uid, start in self._start_times().items() if uid not in earlier}
        return [run for run in map(RunRecord.read, lines) if run.at in starts]

    def _create_monitor(self) -> None:
        document = {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "SyntheticMonitor",
            "metadata": {"name": self._name},
            "spec": self._spec(),
        }
        if self._fault.needs_token:  # its target is a faulty proxy
            binding = f"{HOSTS_ANNOTATION}={ANY_HOST}"
            self._target.cluster.kubectl("annotate", "secret", CREDENTIALS, binding, "--overwrite")
        self._target.cluster.apply(json.dumps(document))

    def _spec(self) -> dict[str, Any]:
        target: dict[str, Any] = {
            "url": manifests.entry_url(self._target.cluster, self._target.url)
        }
        if self._fault.needs_tls:
            url = f"https://{manifests.host(self._target.cluster, manifests.EDGE)}"
            target = {"url": url, "caFrom": {"configMapKeyRef": manifests.AUTHORITY}}
        spec: dict[str, Any] = {
            "journey": f"{self._service}-health",
            "interval": INTERVALS[self._row.trigger],
            "target": target,
            "timeoutSeconds": 5,
            "cleanupSeconds": 5,
            "retries": 0,
            "notify": [{"name": "drill", "webhook": {"url": self._receiver_url()}}],
            "thresholds": {"failures": FAILURE_THRESHOLD, "outOf": FAILURE_THRESHOLD},
        }
        if self._fault.needs_token:
            secret = {"name": CREDENTIALS}
            spec |= {"journey": TOKENS[self._service], "credentialsSecretRef": secret}
        return spec

    def _receiver_url(self) -> str:
        host = manifests.host(self._target.cluster, manifests.RECEIVER)
        return f"http://{host}:{receiver.PORT}/"

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = self._observer.monitor(self._name).get("status") or {}
        return status

    def _condition(self, kind: str) -> str:
        conditions = self._status().get("conditions", [])
        return next((c["status"] for c in conditions if c["type"] == kind), "")


def total_runs(status: dict[str, Any]) -> int:
    """Return the number of finished runs, with or without a result, in maintenance too."""
    totals = status.get("totals", {})
    kinds = ("passed", "failed", "error", "disrupted", "maintenance")
    return sum(totals.get(kind, 0) for kind in kinds)
