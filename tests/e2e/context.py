"""What every step of a trial works with, and how a step says that it has missed."""

import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from synthetic.probe.credentials import CLIENT_ID, Credentials
from synthetic.probe.replay import replay
from synthetic.probe.table import format_summary
from tests.e2e.background_load import Load
from tests.support.cluster import RELEASE, Cluster

PATIENCE = 60  # seconds until the ingress has heard of the endpoints


class MissError(Exception):
    """What was seen is not what must be seen."""


class LateError(MissError):
    """It came too late, and is as it must be otherwise: the next steps can build on it."""


class CostError(MissError):
    """Calls failed that need not have, and all is as it must be otherwise, as with one late."""


@dataclass(frozen=True)
class Rounds:
    """How often things are done."""

    rolled: int = 1
    killed: int = 2
    database: int = 1

    @classmethod
    def thorough(cls) -> "Rounds":
        """Return what a figure needs that somebody relies on."""
        return cls(rolled=10, killed=20, database=10)


@dataclass
class Trial:
    """A cluster, the release's address once it has one, and how often things are done."""

    cluster: Cluster
    rounds: Rounds
    url: str = ""

    def buy(self) -> None:
        """Replay the purchase through the ingress; raises ``MissError``."""
        secret = self.cluster.secrets()[f"{RELEASE}-oauth-clients"][CLIENT_ID]
        credentials = Credentials(b64decode(secret).decode())
        deadline = time.monotonic() + PATIENCE
        while True:
            outcome = replay("inventory-purchase", self.url, credentials)
            if outcome.result == "passed":
                return
            check(time.monotonic() < deadline, f"through {self.url}: {format_summary(outcome)}")
            time.sleep(0.5)


Step = Callable[[Trial], str]


def check(is_so: object, otherwise: str) -> None:
    """Raise ``MissError`` unless it is so."""
    if not is_so:
        raise MissError(otherwise)


def rounds(count: int) -> Iterator[int]:
    """Yield the number of each round, and say which one begins and when."""
    began = time.monotonic()
    for number in range(1, count + 1):
        if count > 1:
            seconds = time.monotonic() - began
            print(f"e2e:   {number} of {count}, after {seconds:.0f} s", file=sys.stderr, flush=True)
        yield number


def nothing_lost(load: Load) -> str:
    """Return what a load saw; raises ``MissError`` when an acknowledged write is gone."""
    check(not load.lost, f"{len(load.lost)} acknowledged writes were lost")
    return f"0 of {load.written} writes lost, {load.failed} of {load.total} calls failed"


def nothing_failed(load: Load) -> str:
    """Return what a load saw.

    Raises:
        CostError: a call failed.
        MissError: a write is gone.

    """
    nothing_lost(load)
    if load.failed:
        message = f"{load.failed} of {load.total} calls failed: {dict(load.answers)}"
        raise CostError(message)
    return f"0 of {load.total} calls failed"
