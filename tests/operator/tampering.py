"""What others do to CronJobs, and how soon each is as it was."""

import copy
import statistics
from itertools import cycle, islice

from synthetic.operator.api_client import CRON_JOBS, Object
from tests.operator.namespace import Space, until

KINDS = ("deleted", "edited", "a container added")
P95 = 5.0  # seconds
PATIENCE = 60.0  # seconds
THEIRS = {"name": "theirs", "image": "theirs.invalid/none"}


def disturb(space: Space, name: str, kind: str, patience: float = PATIENCE) -> float:
    """Do something to a monitor's CronJob; return after how many seconds it was put back.

    Raises:
        MissError: it was not.

    """
    (before,) = space.cron_jobs(space.monitor(name))
    _do(space, kind, before)
    return until(lambda: _is_back(space, before, kind), patience, f"{name}: not put back: {kind}")


def disturb_all(space: Space, names: list[str], times: int) -> list[float]:
    """Disturb one monitor after the other, in each way in turn; return the seconds of each."""
    turns = islice(zip(cycle(names), cycle(KINDS), strict=False), times)
    return [disturb(space, name, kind) for name, kind in turns]


def quantiles(seconds: list[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile."""
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]


def _do(space: Space, kind: str, before: Object) -> None:
    changed = copy.deepcopy(before)
    if kind == "deleted":
        space.delete(CRON_JOBS, before["metadata"]["name"])
        return
    if kind == "edited":
        changed["spec"]["schedule"] = "0 0 1 1 *"
    else:
        changed["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"].append(THEIRS)
    space.replace(CRON_JOBS, changed)


def _is_back(space: Space, before: Object, kind: str) -> bool:
    live = space.get(CRON_JOBS, before["metadata"]["name"])
    if live is None or live["spec"] != before["spec"]:
        return False
    is_another = live["metadata"]["uid"] != before["metadata"]["uid"]
    return bool(is_another == (kind == "deleted"))
