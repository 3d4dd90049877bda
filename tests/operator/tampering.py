"""Changes of CronJobs by others, and the time until the operator reverts them."""

import copy
import statistics
from itertools import cycle, islice

from synthetic.operator.resources import CRON_JOBS, Object
from tests.operator.namespace import Namespace, wait_until

KINDS = ("deleted", "edited", "a container added")
P95_LIMIT_SECONDS = 5.0
REPAIR_TIMEOUT_SECONDS = 60.0
FOREIGN_CONTAINER = {"name": "theirs", "image": "theirs.invalid/none"}


def tamper(
    namespace: Namespace, name: str, kind: str, timeout: float = REPAIR_TIMEOUT_SECONDS
) -> float:
    """Change a monitor's CronJob, and return the seconds until the operator has repaired it.

    Raises:
        StepFailed: it was not repaired.

    """
    (before,) = namespace.cron_jobs(namespace.monitor(name))
    _change(namespace, kind, before)
    message = f"{name}: not repaired: {kind}"
    return wait_until(lambda: _is_repaired(namespace, before, kind), timeout, message)


def tamper_all(namespace: Namespace, names: list[str], count: int) -> list[float]:
    """Tamper with the monitors in turn, with each kind of change; return the repair times."""
    turns = islice(zip(cycle(names), cycle(KINDS), strict=False), count)
    return [tamper(namespace, name, kind) for name, kind in turns]


def quantiles(seconds: list[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile."""
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]


def _change(namespace: Namespace, kind: str, before: Object) -> None:
    changed = copy.deepcopy(before)
    if kind == "deleted":
        namespace.delete(CRON_JOBS, before["metadata"]["name"])
        return
    if kind == "edited":
        changed["spec"]["schedule"] = "0 0 1 1 *"
    else:
        changed["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"].append(
            FOREIGN_CONTAINER
        )
    namespace.replace(CRON_JOBS, changed)


def _is_repaired(namespace: Namespace, before: Object, kind: str) -> bool:
    live = namespace.get(CRON_JOBS, before["metadata"]["name"])
    if live is None or live["spec"] != before["spec"]:
        return False
    is_new = live["metadata"]["uid"] != before["metadata"]["uid"]
    return bool(is_new == (kind == "deleted"))
