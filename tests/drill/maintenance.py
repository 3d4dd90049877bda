"""An outage in a maintenance window: nothing counts, nobody is told, and the page says why."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.drill.experiment import POLL_SECONDS, RUN_TIMEOUT_SECONDS, Experiment
from tests.drill.faults import Fault, Target, down
from tests.drill.observer import GROUP, Observer
from tests.support.cluster import RELEASE
from tests.support.prometheus import query
from tests.support.steps import check, wait_until

SERVICE = "inventory"
RUNS = 3  # in the outage; two failures make a monitor unhealthy
REASON = "a drill of maintenance windows"
LENGTH = timedelta(hours=1)
SCRAPE_LIMIT_SECONDS = 15.0
HISTORY = "30m"  # of alerts, pending ones too
UPTIME = "cadastro_synthetic_monitor_uptime_ratio"
TOTAL = "cadastro_synthetic_monitor_runs_total"


class MaintenanceExperiment(Experiment):
    """An outage of a service while a SyntheticMaintenance selects its monitor."""

    def __init__(self, target: Target, observer: Observer) -> None:
        """Prepare the experiment; nothing is injected."""
        super().__init__(
            target, observer, Fault("maintenance", down, "http_status"), SERVICE, "request"
        )

    def check(self) -> str:
        """Run the experiment.

        Raises:
            StepFailed: a result counts, somebody is told, or the page does not say why.

        """
        try:
            self._create_monitor()
            self._target.cluster.kubectl("label", "synmon", self._name, f"drill={self._name}")
            self._wait_for_health("True", RUN_TIMEOUT_SECONDS, by_request=True)
            self._wait_for_scrape("passed", self._status()["totals"]["passed"])
            before, notified = self._counted(), self._observer.notifications(self._name)
            with self._window(), self._fault.inject(self._target, self._service):
                for _ in range(RUNS):
                    self._run_once()
                self._check_told()
            self._run_once()
            self._wait_for_health("True", RUN_TIMEOUT_SECONDS, by_request=False)
            self._wait_for_scrape("passed", self._status()["totals"]["passed"])
            after = self._counted()
            check(after == before, f"the failures count: {before}, and afterwards {after}")
            labels = f'namespace="{self._observer.namespace}",monitor="{self._name}"'
            alerts = self._query(f"count_over_time(ALERTS{{{labels}}}[{HISTORY}])")
            check(not alerts, f"there were alerts: {alerts}")
            told = self._observer.notifications(self._name)
            check(told == notified, f"there were notifications: {told}")
        finally:
            self._target.cluster.kubectl("delete", "synmon", self._name, "--ignore-not-found")
        return f"{RUNS} runs failed, 0 alerts, 0 notifications, uptime unchanged; the page says why"

    @contextmanager
    def _window(self) -> Iterator[None]:
        """Select the monitor by a maintenance window, in force within the block."""
        start = datetime.now(UTC) - timedelta(seconds=1)
        name = f"{self._target.cluster.namespace}-{self._name}"
        spec = {
            "reason": REASON,
            "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{start + LENGTH:%Y-%m-%dT%H:%M:%SZ}",
            "selector": {"matchLabels": {"drill": self._name}},
        }
        window = {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "SyntheticMaintenance",
            "metadata": {"name": name},
            "spec": spec,
        }
        self._target.cluster.apply(json.dumps(window))
        try:
            self._wait_for_maintenance("True")
            yield
        finally:
            self._target.cluster.kubectl("delete", "synmaint", name, namespaced=False)
        self._wait_for_maintenance("False")
        time.sleep(1)  # a run of the window's last second would be left out

    def _wait_for_maintenance(self, expected: str) -> None:
        wait_until(
            lambda: self._condition("Maintenance") == expected,
            RUN_TIMEOUT_SECONDS,
            f"the condition Maintenance is not {expected}",
            POLL_SECONDS,
        )

    def _check_told(self) -> None:
        """Check what the status, the metrics, the JSON and the page say during the outage."""
        status = self._status()
        failed = [line for line in status["runs"] if "failed/maintenance" in line]
        check(len(failed) == RUNS, f"not {RUNS} failures in maintenance: {status['runs']}")
        healthy = self._condition("Healthy")
        check(healthy == "Unknown", f"Healthy is {healthy} in a maintenance window")
        self._wait_for_scrape("maintenance", RUNS)
        listed = json.loads(self._operator_get("/api/v1/monitors"))["monitors"]
        (shown,) = (each for each in listed if each["name"] == self._name)
        check(shown["state"] == "maintenance", f"the JSON says {shown['state']}")
        page = self._operator_get("/")
        check(REASON in page, "the page does not say why there is maintenance")

    def _wait_for_scrape(self, result: str, runs: int) -> None:
        labels = f'monitor="{self._name}",result="{result}"'
        wait_until(
            lambda: (
                [float(each["value"][1]) for each in self._query(f"{TOTAL}{{{labels}}}")] == [runs]
            ),
            SCRAPE_LIMIT_SECONDS,
            f"Prometheus has not {runs} runs in {labels}",
            POLL_SECONDS,
        )

    def _counted(self) -> dict[str, Any]:
        """Return what failures would change: totals of results, and uptimes by window."""
        status = self._status()
        totals = {name: n for name, n in status["totals"].items() if name in {"failed", "error"}}
        uptimes = self._query(f'{UPTIME}{{monitor="{self._name}"}}')
        ratios = {each["metric"]["window"]: each["value"][1] for each in uptimes}
        check(ratios, "there is no uptime")
        return {**totals, **ratios}

    def _query(self, expression: str) -> list[dict[str, Any]]:
        return query(self._observer.prometheus, expression)

    def _operator_get(self, path: str) -> str:
        return self._target.cluster.proxy_get(f"services/{RELEASE}-synthetic:http", path)
