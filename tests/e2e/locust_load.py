"""A short load by Locust in the cluster: a master, two workers, and what the master says of it."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e import notes
from tests.support.cluster import RELEASE, Cluster, ClusterError, run

CHART, RELEASED = "charts/load", "locust"
WORKERS = 2
BEGINS_WITHIN, ENDS_WITHIN = 180.0, 600.0
PAUSE = 1.0
MASTER = f"job/{RELEASED}-load-1-master"


class LocustRun:
    """A release of the load's chart."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        """Begin to load the system at ``url``, as its monitors."""
        self._cluster = cluster
        self._end = self._text = ""
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
        run("helm", "install", RELEASED, CHART, "-n", cluster.namespace, *options)

    def log(self) -> str:
        """Return what the master has said so far."""
        try:
            text: str = self._cluster.kubectl("logs", MASTER)
        except ClusterError:
            return ""  # its container has yet to start
        return text

    def wait_until_it_calls(self) -> None:
        """Wait for the main phase."""
        deadline = time.monotonic() + BEGINS_WITHIN
        while not re.search(r"^load:.* rollout ", self.log(), re.MULTILINE):
            if time.monotonic() > deadline or self.how():
                raise ClusterError(f"the load did not begin:\n{self.log()[-2000:]}")
            time.sleep(PAUSE)

    def how(self) -> str:
        """Return Complete or Failed, or nothing while it runs."""
        (job,) = [j for j in self._cluster.objects("jobs") if j["metadata"]["name"] in MASTER]
        conditions = job["status"].get("conditions", [])
        ends = [c["type"] for c in conditions if c["type"] in {"Complete", "Failed"}]
        return next(iter(ends), "")

    def end(self) -> None:
        """End the main phase, wait for the end of all, and keep what was said."""
        self._cluster.kubectl("exec", MASTER, "--", "sh", "-c", "kill -INT 1")
        deadline = time.monotonic() + ENDS_WITHIN
        while not (how := self.how()):
            if time.monotonic() > deadline:
                raise ClusterError(f"the load did not end:\n{self.log()[-2000:]}")
            time.sleep(PAUSE)
        self._end, self._text = how, self.log()

    def verdict(self) -> str:
        """Return what was seen in a few words.

        Raises:
            ClusterError: a threshold was missed; the rows that were stand in the message.

        """
        text = self._text
        missed = re.findall(r"^load: MISS .*$", text, re.MULTILINE)
        if missed or self._end != "Complete":
            raise ClusterError("\n".join(missed) or text[-2000:])
        rows = re.findall(
            r"^\| ok \| (failed calls|items listed[^|]*) \| (.*?) \|", text, re.MULTILINE
        )
        return ", ".join(f"{name} {seen}" for name, seen in rows)


@contextmanager
def loaded(cluster: Cluster, url: str) -> Iterator[LocustRun]:
    """Do something while the system is loaded."""
    load = LocustRun(cluster, url)
    load.wait_until_it_calls()
    yield load
    load.end()
    notes.follow(cluster, RELEASED, url)
    run("helm", "uninstall", RELEASED, "-n", cluster.namespace)
