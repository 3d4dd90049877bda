"""A short load by Locust in the cluster: a master, two workers, and the master's report."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e import notes
from tests.support.cluster import RELEASE, Cluster
from tests.support.commands import CommandError, run_command
from tests.support.steps import StepFailed

CHART, LOAD_RELEASE = "charts/load", "locust"
WORKERS = 2
START_TIMEOUT_SECONDS, END_TIMEOUT_SECONDS = 180.0, 600.0
POLL_SECONDS = 1.0
MASTER = f"job/{LOAD_RELEASE}-load-1-master"


class LocustRun:
    """A release of the load chart."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        """Start a load of the system at ``url``, in the synthetic realm."""
        self._cluster = cluster
        self._result = self._text = ""
        values = {
            "global.image.registry": os.environ["REGISTRY"],
            "global.image.tag": cluster.tag,
            "url": url,
            "shape": "rollout",
            "workers": str(WORKERS),
            "credentials.existingSecret": f"{RELEASE}-oauth-clients",
            "credentials.key": "synthetic",
        }
        options = [f"--set={name}={value}" for name, value in values.items()]
        run_command("helm", "install", LOAD_RELEASE, CHART, "-n", cluster.namespace, *options)

    def log(self) -> str:
        """Return the log of the master so far."""
        try:
            text: str = self._cluster.kubectl("logs", MASTER)
        except CommandError:
            return ""  # its container has not started
        return text

    def wait_until_started(self) -> None:
        """Wait until the main phase starts."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not re.search(r"^load:.* rollout ", self.log(), re.MULTILINE):
            if time.monotonic() > deadline or self.result():
                raise StepFailed(f"the load did not start:\n{self.log()[-2000:]}")
            time.sleep(POLL_SECONDS)

    def result(self) -> str:
        """Return ``Complete`` or ``Failed``, or an empty string while it runs."""
        (job,) = [j for j in self._cluster.objects("jobs") if j["metadata"]["name"] in MASTER]
        conditions = job["status"].get("conditions", [])
        ends = [c["type"] for c in conditions if c["type"] in {"Complete", "Failed"}]
        return next(iter(ends), "")

    def end(self) -> None:
        """Stop the main phase, wait until the load has ended, and keep its log."""
        self._cluster.kubectl("exec", MASTER, "--", "sh", "-c", "kill -INT 1")
        deadline = time.monotonic() + END_TIMEOUT_SECONDS
        while not (result := self.result()):
            if time.monotonic() > deadline:
                raise StepFailed(f"the load did not end:\n{self.log()[-2000:]}")
            time.sleep(POLL_SECONDS)
        self._result, self._text = result, self.log()

    def summary(self) -> str:
        """Return the main figures.

        Raises:
            StepFailed: a threshold was missed; the message has the rows of the report.

        """
        text = self._text
        missed = re.findall(r"^load: MISS .*$", text, re.MULTILINE)
        if missed or self._result != "Complete":
            raise StepFailed("\n".join(missed) or text[-2000:])
        rows = re.findall(
            r"^\| ok \| (failed calls|items listed[^|]*) \| (.*?) \|", text, re.MULTILINE
        )
        return ", ".join(f"{name} {seen}" for name, seen in rows)


@contextmanager
def locust_load(cluster: Cluster, url: str) -> Iterator[LocustRun]:
    """Load the system during the block, then run the commands of the chart's NOTES."""
    load = LocustRun(cluster, url)
    load.wait_until_started()
    yield load
    load.end()
    notes.run_notes(cluster, LOAD_RELEASE, url)
    run_command("helm", "uninstall", LOAD_RELEASE, "-n", cluster.namespace)
