"""Context of the end-to-end steps: the cluster, the release and the repetitions."""

import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from synthetic.probe.credentials import CLIENT_ID, Credentials
from synthetic.probe.replay import replay
from synthetic.probe.table import format_summary
from tests.e2e.background_load import BackgroundLoad
from tests.support.cluster import RELEASE, Cluster
from tests.support.steps import Progress, RequestsFailed, check

ROUTE_TIMEOUT_SECONDS = 60  # until the ingress uses the endpoints

report = Progress("e2e")


@dataclass(frozen=True)
class Repetitions:
    """The repetitions of each kind of disruption."""

    restarts: int = 1
    pod_kills: int = 2
    database_kills: int = 1

    @classmethod
    def thorough(cls) -> "Repetitions":
        """Return enough repetitions for a published figure."""
        return cls(restarts=10, pod_kills=20, database_kills=10)


@dataclass
class Context:
    """The cluster, the repetitions, and the URL of the release after its installation."""

    cluster: Cluster
    repetitions: Repetitions
    url: str = ""

    def buy(self) -> None:
        """Replay the purchase journey through the ingress; raises ``StepFailed``."""
        secret = self.cluster.secrets()[f"{RELEASE}-oauth-clients"][CLIENT_ID]
        credentials = Credentials({"client-secret": b64decode(secret).decode()})
        deadline = time.monotonic() + ROUTE_TIMEOUT_SECONDS
        while True:
            outcome = replay("inventory-purchase", self.url, credentials)
            if outcome.result == "passed":
                return
            check(time.monotonic() < deadline, f"through {self.url}: {format_summary(outcome)}")
            time.sleep(0.5)


Step = Callable[[Context], str]


def repeat(count: int) -> Iterator[int]:
    """Yield the number of each repetition, and report its start."""
    started = time.monotonic()
    for number in range(1, count + 1):
        if count > 1:
            report(f"  {number} of {count}, after {time.monotonic() - started:.0f} s")
        yield number


def check_no_loss(load: BackgroundLoad) -> str:
    """Return a summary of a load; raises ``StepFailed`` if an acknowledged write is lost."""
    check(not load.lost, f"{len(load.lost)} acknowledged writes were lost")
    return f"0 of {load.written} writes lost, {load.failed} of {load.total} calls failed"


def check_no_failure(load: BackgroundLoad) -> str:
    """Return a summary of a load.

    Raises:
        RequestsFailed: a request failed.
        StepFailed: an acknowledged write is lost.

    """
    check_no_loss(load)
    if load.failed:
        counts = dict(load.responses)
        raise RequestsFailed(f"{load.failed} of {load.total} calls failed: {counts}")
    return f"0 of {load.total} calls failed"
